/** Who wants to hear. A listener that throws is reported like any uncaught error, and the others still hear. */
import { FlagError } from '../core/errors.ts';

export interface Listeners<T> {
  /** The returned function takes the listener back: from then on it hears nothing, also of what is being told at that moment. */
  add(listener: (value: T) => void): () => void;
  notify(value: T): void;
}

export function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    add: (listener) => {
      checkListener(listener);
      // A function of our own, so that the same listener can be added twice and removed once.
      const own = (value: T): void => callListener(listener, value);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    notify: (value) => {
      for (const own of [...listeners]) if (listeners.has(own)) own(value);
    },
  };
}

/** Throws `invalid_option`. */
export function checkListener(listener: unknown): void {
  if (typeof listener !== 'function') throw new FlagError('invalid_option', 'A listener must be a function.');
}

export function callListener<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    reportUncaught(error);
  }
}

/** Node has no `reportError`; there an error that nobody has caught is thrown again in a turn of its own, as its EventTarget does. */
function reportUncaught(error: unknown): void {
  if (typeof reportError === 'function') reportError(error);
  else
    queueMicrotask(() => {
      throw error;
    });
}
