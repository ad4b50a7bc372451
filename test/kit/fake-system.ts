/** A clock that moves only when told, chance that is always the same, ids that count. */
import type { System } from '../../src/system/system.ts';

export interface FakeSystem extends System {
  /** Moves the clock and calls everything that falls due, in order; lets promises settle between calls. */
  advance(byMs: number): Promise<void>;
  /** Timers that wait. */
  readonly waiting: number;
}

export function createFakeSystem({ startMs = 1_000_000, random = 0.5 } = {}): FakeSystem {
  let nowMs = startMs;
  let lastId = 0;
  let timers: { readonly atMs: number; readonly call: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    random: () => random,
    newId: () => `id${++lastId}`,
    after: (delayMs, call) => {
      const timer = { atMs: nowMs + delayMs, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    get waiting() {
      return timers.length;
    },
    advance: async (byMs) => {
      const untilMs = nowMs + byMs;
      await settle();
      for (;;) {
        const due = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        timers = timers.filter((other) => other !== due);
        nowMs = Math.max(nowMs, due.atMs);
        due.call();
        await settle();
      }
      nowMs = untilMs;
    },
  };
}

/** Lets every promise that can settle without time or I/O do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
