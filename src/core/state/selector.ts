/** Which flags a subscriber wants to hear of: as a test of one change, and as a filter for the server. */
import { FlagError } from '../errors.ts';
import type { Flag, FlagFilter } from '../model.ts';
import type { FlagChange } from './flag-change.ts';

export type FlagSelector =
  | string
  | { readonly flagKeys: readonly string[] }
  | { readonly tags: readonly string[] }
  | { readonly segmentsOf: string };

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

/** The smallest filter that lets through everything that the selector selects. */
export function filterOf(selector: FlagSelector): FlagFilter {
  if (typeof selector === 'string') return { flagKeys: [selector] };
  if ('flagKeys' in selector) return { flagKeys: selector.flagKeys };
  if ('tags' in selector) return { tags: selector.tags };
  return { segmentsOf: [selector.segmentsOf] };
}
