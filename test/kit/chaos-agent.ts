/** The thread of a page or a worker: it runs, hangs, or is dead. Everything that reaches it from outside passes here, in order. */

export interface AgentLife {
  readonly isFrozen: boolean;
  readonly isDead: boolean;
  /** Runs the task now; in a thread that hangs when it goes on, in a dead one never. */
  run(task: () => void): void;
  /** The same outcome, once this thread can hear of it. */
  hear<T>(outcome: Promise<T>): Promise<T>;
  freeze(): void;
  /** What has waited runs first, each task in a turn of its own; settles when nothing waits any more. */
  thaw(): Promise<void>;
  die(): void;
}

export function createAgentLife(): AgentLife {
  let isFrozen = false;
  let isDead = false;
  let waiting: (() => void)[] = [];

  const run = (task: () => void): void => {
    if (isDead) return;
    if (isFrozen) waiting.push(task);
    else task();
  };

  return {
    get isFrozen() {
      return isFrozen;
    },
    get isDead() {
      return isDead;
    },
    run,
    hear: (outcome) =>
      new Promise((resolve, reject) => {
        outcome.then(
          (value) => run(() => resolve(value)),
          (error: unknown) => run(() => reject(error)),
        );
      }),
    freeze: () => {
      isFrozen = true;
    },
    thaw: async () => {
      while (!isDead && waiting.length > 0) {
        waiting.shift()?.();
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      isFrozen = false;
    },
    die: () => {
      isDead = true;
      waiting = [];
    },
  };
}
