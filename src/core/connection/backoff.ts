/** How long to wait before the next attempt: exponential, capped, jittered. The one place where a delay is computed. */
import { DEFAULT_POLICY } from './policy.ts';

export interface BackoffOptions {
  /** Attempts that have failed in a row, from 1. */
  readonly attempt: number;
  /** Longest delay after the first failure, milliseconds. */
  readonly baseMs: number;
  /** Longest delay ever, milliseconds. */
  readonly capMs: number;
  /** From 0 up to but not 1: the delay is spread, so that a thousand clients do not return together. */
  readonly random: number;
  /** See `ConnectionPolicy`. */
  readonly fullJitterAttempts?: number;
  /** What the server asked for (`Retry-After`, `retry:`, `bye`): a floor, to which the jitter is added. */
  readonly floorMs?: number;
}

export function backoffDelayMs({
  attempt,
  baseMs,
  capMs,
  random,
  fullJitterAttempts = DEFAULT_POLICY.fullJitterAttempts,
  floorMs = 0,
}: BackoffOptions): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  const leastShare = attempt <= fullJitterAttempts ? 0 : 0.5;
  return Math.round(floorMs + ceilingMs * (leastShare + random * (1 - leastShare)));
}
