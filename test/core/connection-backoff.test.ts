import { expect, test } from 'vitest';
import { backoffDelayMs } from '../../src/core/connection/backoff.ts';
import { nextConnection } from '../../src/core/connection/machine.ts';
import { DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import { type ConnectionState, initialConnection, wakeAtMs } from '../../src/core/connection/states.ts';
import { attach, due, ended, NO_TAB } from './connection-kit.ts';

const delay = (attempt: number, random: number) =>
  backoffDelayMs({ attempt, baseMs: 1_000, capMs: 30_000, random });

test.each([
  [1, 0, 1_000],
  [2, 0, 2_000],
  [3, 0, 4_000],
  [4, 4_000, 8_000],
  [5, 8_000, 16_000],
  [6, 15_000, 30_000],
  [60, 15_000, 30_000],
])('the delay after %i failures is spread from %i to %i ms', (attempt, leastMs, mostMs) => {
  expect(delay(attempt, 0)).toBe(leastMs);
  expect(delay(attempt, 0.5)).toBe((leastMs + mostMs) / 2);
  expect(mostMs - delay(attempt, 0.9999)).toBeLessThanOrEqual(3);
});

test('the delay never falls below the floor', () => {
  const options = { attempt: 1, baseMs: 1_000, capMs: 30_000, random: 0, floorMs: 4_000 };
  expect(backoffDelayMs(options)).toBe(4_000);
});

/** A small generator with a seed; any will do that fills the range evenly. */
function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Moments at which a browser asks a server that refuses every connection, from the cut on. */
function attemptsUntil(untilMs: number, random: () => number): number[] {
  const attempts: number[] = [];
  const failed = ended({ ended: 'failed', error: { message: 'refused' } });
  const tell = (state: ConnectionState, event: typeof failed | typeof due | typeof attach, nowMs: number) =>
    nextConnection(state, event, { nowMs, random: random(), policy: DEFAULT_POLICY }).state;
  let state = tell(initialConnection(NO_TAB), attach, 0);
  for (let nowMs = 0; nowMs < untilMs; attempts.push(nowMs)) {
    state = tell(state, failed, nowMs);
    nowMs = wakeAtMs(state, DEFAULT_POLICY) ?? Number.POSITIVE_INFINITY;
    state = tell(state, due, nowMs);
  }
  return attempts.filter((atMs) => atMs < untilMs);
}

test('against a server that is down, 10 000 browsers make at most 6 attempts in the minute after the first ten seconds', () => {
  const counts = Array.from({ length: 10_000 }, (_, seed) => {
    const attempts = attemptsUntil(70_000, chanceOf(seed));
    return attempts.filter((atMs) => atMs >= 10_000).length;
  }).sort((a, b) => a - b);
  // Measured: 3, 4, 5.
  expect(counts[5_000]).toBeLessThanOrEqual(4);
  expect(counts[9_900]).toBeLessThanOrEqual(5);
  expect(counts.at(-1)).toBeLessThanOrEqual(6);
});
