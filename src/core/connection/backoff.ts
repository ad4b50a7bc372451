/** How long to wait before the next attempt: exponential, capped, with full jitter. The one place where a delay is computed. */

export interface BackoffOptions {
  /** Attempts that have failed in a row, from 1. */
  readonly attempt: number;
  /** Longest delay after the first failure, milliseconds. */
  readonly baseMs: number;
  /** Longest delay ever, milliseconds. */
  readonly capMs: number;
  /** From 0 up to but not 1. Full jitter: the delay is spread over the whole range, so a thousand clients do not return together. */
  readonly random: number;
  /** What the server asked for (`Retry-After`, `retry:`, `bye`): a floor, to which the jitter is added. */
  readonly floorMs?: number;
}

export function backoffDelayMs({ attempt, baseMs, capMs, random, floorMs = 0 }: BackoffOptions): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(floorMs + random * ceilingMs);
}
