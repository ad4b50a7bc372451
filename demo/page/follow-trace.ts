/** Asks the hub what it has seen, whenever there is reason to, and hands on what is new. */
import type { FlagClient } from 'flagent-offline';

export type HubDebug = Awaited<ReturnType<FlagClient['debug']>>;
export type TraceEntry = HubDebug['trace'][number];

export interface TraceListener {
  /** Another hub answers than before, or the first one does. */
  hub(hub: HubDebug): void;
  /** In the order in which they were written. */
  entries(entries: readonly TraceEntry[]): void;
}

/** Statuses come in bursts. */
const SETTLE_MS = 120;

/** The returned function looks soon. */
export function followTrace(client: () => FlagClient, listener: TraceListener): () => void {
  let bootId: string | undefined;
  let newest = '';
  let isDue = false;

  async function look(): Promise<void> {
    isDue = false;
    // No hub answers while one starts: the next look finds what was missed.
    const hub = await client()
      .debug()
      .catch(() => undefined);
    if (hub === undefined) return;
    if (hub.bootId !== bootId) {
      listener.hub(hub);
      bootId = hub.bootId;
      newest = '';
    }
    const fresh = entriesAfter(newest, hub.trace);
    if (fresh.length > 0) listener.entries(fresh);
    newest = JSON.stringify(hub.trace.at(-1)) ?? newest;
  }

  return () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => void look(), SETTLE_MS);
  };
}

/** Entries have no number; two that are alike in all, the moment included, may be taken for one. */
function entriesAfter(newest: string, entries: readonly TraceEntry[]): readonly TraceEntry[] {
  return entries.slice(entries.findLastIndex((entry) => JSON.stringify(entry) === newest) + 1);
}
