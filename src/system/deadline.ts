/** A call to another context can stay unanswered for ever: every one of them is raced with a deadline and with the death of the peer. */
import { FlagError } from '../core/errors.ts';
import type { System } from './system.ts';

export interface DeadlineOptions {
  readonly system: Pick<System, 'after'>;
  readonly afterMs: number;
  /** What did not answer; stands in the message. */
  readonly what: string;
  /** Ends the wait at once, with `closed`. */
  readonly death?: AbortSignal;
}

/** Settles as `promise` does, or rejects with `timeout` or `closed`. The late answer, should it come, is dropped. */
export function withDeadline<T>(promise: Promise<T>, options: DeadlineOptions): Promise<T> {
  const { system, afterMs, what, death } = options;
  return new Promise<T>((resolve, reject) => {
    const gone = () => reject(new FlagError('closed', `${what} is gone.`));
    const stopTimer = system.after(afterMs, () =>
      reject(new FlagError('timeout', `${what} did not answer in ${afterMs} ms.`)),
    );
    if (death?.aborted) gone();
    death?.addEventListener('abort', gone, { once: true });
    promise.then(resolve, reject).finally(() => {
      stopTimer();
      death?.removeEventListener('abort', gone);
    });
  });
}
