/** What `watch` prints about its connection: a line per state, or with `--trace` a line for everything that happens. */
import type { ConnectionStatus } from '../core/state/status.ts';
import type { TraceEntry } from '../system/trace.ts';
import { isoTime } from './iso-time.ts';
import { oneLine, printable } from './printable.ts';

/** `undefined` where there is nothing to say. */
export function connectionLine(status: ConnectionStatus, url: string, nowMs: number): string | undefined {
  switch (status.is) {
    case 'connecting':
      return `connecting to ${url}`;
    case 'live':
      return 'live';
    case 'waiting':
      return oneLine(`not connected: ${status.reason}; next attempt in ${seconds(status.retryAtMs - nowMs)}`);
    case 'polling':
      return oneLine(`polling: ${status.reason}; next poll in ${seconds(status.nextPollAtMs - nowMs)}`);
    case 'stopped':
      return oneLine(`stopped: ${status.reason}`);
    case 'paused':
      return undefined;
  }
}

/** `2026-03-05T10:00:00.000Z  connection  waiting: the server answers 503 (event ended, next in 7.5 s)`. */
export function traceLine({ atMs, by, what, facts = {} }: TraceEntry): string {
  const { reason, ...rest } = facts;
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => describeFact(name, value));
  const because = reason === undefined ? '' : `: ${reason}`;
  const beside = details.length === 0 ? '' : ` (${details.join(', ')})`;
  return oneLine(`${isoTime(atMs)}  ${by}  ${what}${because}${beside}`);
}

/** One object per line, beside the changes; `type` tells them apart. */
export function traceJson({ atMs, by, what, facts }: TraceEntry): string {
  return JSON.stringify({ type: 'TRACE', timestampMs: Math.round(atMs), by, what, ...(facts && { facts }) });
}

/** `retryAfterMs: 7500` reads `retry after 7.5 s`. */
function describeFact(name: string, value: unknown): string {
  const isTime = name.endsWith('Ms') && typeof value === 'number';
  const words = (isTime ? name.slice(0, -2) : name).replaceAll(
    /[A-Z]/g,
    (letter) => ` ${letter.toLowerCase()}`,
  );
  if (isTime) return `${words} ${seconds(value)}`;
  return `${words} ${printable(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))}`;
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}
