/** A clock that moves only when told, chance that is always the same, ids that count. */
import type { System } from '../../src/system/system.ts';

export interface FakeSystem extends System {
  /** Moves both clocks and calls everything that falls due, in order; lets promises settle between calls. */
  advance(byMs: number): Promise<void>;
  /** Somebody sets the wall clock: `nowMs` moves, forward or back, and no time passes. */
  jump(byMs: number): void;
  /** The machine sleeps: time passes on both clocks, and what falls due meanwhile is called only at the end. */
  sleep(forMs: number): Promise<void>;
  /** Time passes and this context runs, but its timers are held back, as in a hidden tab; `advance` calls them. */
  holdTimers(forMs: number): void;
  /** Timers that wait. */
  readonly waiting: number;
}

export function createFakeSystem({ startMs = 1_000_000, random = 0.5 } = {}): FakeSystem {
  let elapsedMs = 0;
  /** What the wall clock shows at the start, and by how much it was set since. */
  let wallMs = startMs;
  let lastId = 0;
  let timers: { readonly atMs: number; readonly call: () => void }[] = [];
  const nextDue = () => timers.filter(({ atMs }) => atMs <= elapsedMs).sort((a, b) => a.atMs - b.atMs)[0];
  const callDue = async (): Promise<void> => {
    for (let due = nextDue(); due !== undefined; due = nextDue()) {
      const called = due;
      timers = timers.filter((other) => other !== called);
      called.call();
      await settle();
    }
  };
  return {
    nowMs: () => wallMs + elapsedMs,
    elapsedMs: () => elapsedMs,
    random: () => random,
    newId: () => `id${++lastId}`,
    after: (delayMs, call) => {
      const timer = { atMs: elapsedMs + delayMs, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    get waiting() {
      return timers.length;
    },
    advance: async (byMs) => {
      const untilMs = elapsedMs + byMs;
      await settle();
      for (;;) {
        const nextMs = Math.min(...timers.map(({ atMs }) => atMs));
        if (nextMs > untilMs) break;
        elapsedMs = Math.max(elapsedMs, nextMs);
        await callDue();
      }
      elapsedMs = untilMs;
    },
    jump: (byMs) => {
      wallMs += byMs;
    },
    holdTimers: (forMs) => {
      elapsedMs += forMs;
    },
    sleep: async (forMs) => {
      elapsedMs += forMs;
      await settle();
      await callDue();
    },
  };
}

/** Lets every promise that can settle without time or I/O do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
