/** Who wants to hear of which flags. A listener that throws is reported like any uncaught error, and the others still hear. */
import { FlagError } from '../core/errors.ts';
import type { Flag } from '../core/model.ts';
import type { FlagChange, FlagSelector, Unsubscribe } from './flag-client.ts';

export interface Listeners<T> {
  add(listener: (value: T) => void): Unsubscribe;
  notify(value: T): void;
}

export function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    add: (listener) => {
      if (typeof listener !== 'function') {
        throw new FlagError('invalid_option', 'A listener must be a function.');
      }
      // A function of our own, so that the same listener can be added twice and removed once.
      const own = (value: T): void => listener(value);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    notify: (value) => {
      for (const listener of [...listeners]) {
        try {
          listener(value);
        } catch (error) {
          reportError(error);
        }
      }
    },
  };
}

/** The test for one selector. Tags are looked for before and after the change, so that losing the tag is heard too. */
export function selects(selector: FlagSelector): (change: FlagChange) => boolean {
  if (typeof selector === 'string') return ({ flagKey }) => flagKey === selector;
  if ('flagKeys' in selector) {
    const keys = new Set(selector.flagKeys);
    return ({ flagKey }) => keys.has(flagKey);
  }
  if ('tags' in selector) {
    const tags = new Set(selector.tags);
    const isTagged = (flag: Flag | undefined) => flag?.tags.some(({ value }) => tags.has(value)) === true;
    return ({ flag, previous }) => isTagged(flag) || isTagged(previous);
  }
  if ('segmentsOf' in selector) {
    return ({ flagKey, flag, previous }) =>
      flagKey === selector.segmentsOf &&
      JSON.stringify(flag?.segments) !== JSON.stringify(previous?.segments);
  }
  throw new FlagError(
    'invalid_option',
    'A selector is a flag key, { flagKeys: […] }, { tags: […] } or { segmentsOf: key }.',
  );
}
