/** Notices that the machine slept, or that this context was frozen: no event says so inside a worker. Nothing else runs here. */
import type { System } from '../system/system.ts';

export interface Sleep {
  readonly sleptMs: number;
  /**
   * The wall clock went on while the other one stood still: the machine slept (or somebody set the clock; nothing tells them
   * apart). What was heard last is then longer ago than it seems.
   */
  readonly isHidden: boolean;
}

export interface SleepWatch {
  start(): void;
  stop(): void;
  /** Something came from outside: this context runs. Timers alone would look like sleep in a tab whose timers are held back. */
  noteLife(): void;
}

const TICK_MS = 10_000;
/** A tick that comes this much late was slept over. */
const LATE_MS = 10_000;

export function createSleepWatch(
  system: Pick<System, 'nowMs' | 'elapsedMs' | 'after'>,
  onWoken: (sleep: Sleep) => void,
): SleepWatch {
  let isRunning = false;
  let stopTick = (): void => {};
  let last = { wallMs: 0, elapsedMs: 0 };

  const noteLife = (): void => {
    if (!isRunning) return;
    const wallMs = system.nowMs();
    const elapsedMs = system.elapsedMs();
    const passedMs = elapsedMs - last.elapsedMs;
    const sleptMs = Math.max(passedMs, wallMs - last.wallMs) - TICK_MS;
    last = { wallMs, elapsedMs };
    if (sleptMs >= LATE_MS) onWoken({ sleptMs, isHidden: passedMs < sleptMs });
  };

  const tick = (): void => {
    stopTick = system.after(TICK_MS, () => {
      tick();
      noteLife();
    });
  };

  return {
    noteLife,
    start: () => {
      if (isRunning) return;
      isRunning = true;
      last = { wallMs: system.nowMs(), elapsedMs: system.elapsedMs() };
      tick();
    },
    stop: () => {
      isRunning = false;
      stopTick();
    },
  };
}
