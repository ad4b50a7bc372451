/** How a tab learns that its hub has died: by the lock that the hub holds, or, where there are no Web Locks, by asking. */
import { whenLockIsFree } from '../system/locks.ts';
import type { System } from '../system/system.ts';

export interface HubWatch {
  /** Something has happened that a hub may not have survived. */
  lookNow(): void;
  stop(): void;
}

export interface HubWatchOptions {
  readonly locks: LockManager | undefined;
  readonly lockName: string;
  readonly system: Pick<System, 'after'>;
  /** Rejects when the hub does not answer in time. */
  readonly ask: () => Promise<unknown>;
  readonly onDeath: () => void;
}

const ASK_EVERY_MS = 30_000;

export function watchHub({ locks, lockName, system, ask, onDeath }: HubWatchOptions): HubWatch {
  if (locks !== undefined) return { lookNow: () => {}, stop: whenLockIsFree(locks, lockName, onDeath) };
  let isStopped = false;
  const lookNow = (): void => {
    ask().catch(() => {
      if (!isStopped) onDeath();
    });
  };
  const lookAgain = (): void => {
    lookNow();
    stopTimer = system.after(ASK_EVERY_MS, lookAgain);
  };
  let stopTimer = system.after(ASK_EVERY_MS, lookAgain);
  return {
    lookNow,
    stop: () => {
      isStopped = true;
      stopTimer();
    },
  };
}
