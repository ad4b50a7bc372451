/** What happened, as data: one entry per message, transition, command and save. Off unless somebody listens. */

export interface TraceEntry {
  readonly atMs: number;
  /** Who saw it: `hub`, `connection`, `storage`, `tab`. */
  readonly by: string;
  readonly what: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export type Trace = (by: string, what: string, facts?: Readonly<Record<string, unknown>>) => void;

/** Keeps the newest entries, for `debug`, and hands each to the listener. */
export function createTrace(
  nowMs: () => number,
  listener: (entry: TraceEntry) => void = () => {},
  keep = 200,
): { readonly trace: Trace; readonly entries: readonly TraceEntry[] } {
  const entries: TraceEntry[] = [];
  const trace: Trace = (by, what, facts) => {
    const entry = { atMs: nowMs(), by, what, ...(facts !== undefined && { facts }) };
    entries.push(entry);
    if (entries.length > keep) entries.shift();
    listener(entry);
  };
  return { trace, entries };
}
