/** Web Locks as two verbs. A lock is the only sign of life and death between a tab and a worker that every browser gives. */

export interface HeldLock {
  release(): void;
}

/**
 * Takes the lock when it is free and keeps it until `release`, the end of this context, or until the browser takes it away
 * (`onLost`: WebKit does so when a page enters the back/forward cache, and all do when somebody steals it). `steal` takes it from its
 * holder. Without Web Locks `onHeld` is called at once: nobody can compete.
 */
export function holdLock(
  locks: LockManager | undefined,
  name: string,
  { onHeld, onLost = () => {} }: { readonly onHeld: () => void; readonly onLost?: () => void },
  how: 'queue' | 'steal' = 'queue',
): HeldLock {
  if (locks === undefined) {
    onHeld();
    return { release: () => {} };
  }
  const abandoned = new AbortController();
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isReleased = false;
  locks
    // The standard allows no signal beside `steal`; a stolen lock comes at once anyway.
    .request(name, how === 'steal' ? { steal: true } : { signal: abandoned.signal }, () => {
      if (isReleased) return undefined;
      onHeld();
      return released;
    })
    .catch(() => {
      if (!isReleased) onLost();
    });
  return {
    release: () => {
      isReleased = true;
      release();
      abandoned.abort();
    },
  };
}

/** Settles when the lock is held, or when the browser will not give it: then nobody can wait for its end either. */
export function takeLock(locks: LockManager | undefined, name: string): Promise<HeldLock> {
  return new Promise((resolve) => {
    const settle = (): void => queueMicrotask(() => resolve(lock));
    const lock: HeldLock = holdLock(locks, name, { onHeld: settle, onLost: settle });
  });
}

/** Calls once when whoever holds the lock now has let it go or died. The returned function stops waiting. Without Web Locks it never calls. */
export function whenLockIsFree(locks: LockManager | undefined, name: string, onFree: () => void): () => void {
  const abandoned = new AbortController();
  locks
    ?.request(name, { mode: 'shared', signal: abandoned.signal }, () => {
      if (!abandoned.signal.aborted) onFree();
    })
    // Rejects only when abandoned, by us or by the browser.
    .catch(() => {});
  return () => abandoned.abort();
}

/** `undefined` on insecure origins and in old browsers. */
export function findLocks(): LockManager | undefined {
  return typeof navigator === 'object' ? (navigator.locks as LockManager | undefined) : undefined;
}
