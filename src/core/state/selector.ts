/** Which flags a subscriber wants to hear of: as a test of one change, and as a filter for the server. */
import { FlagError } from '../errors.ts';
import type { FlagKey } from '../flag-types.ts';
import type { FlagFilter } from '../model.ts';
import type { FlagChange } from './flag-change.ts';

export type FlagSelector =
  | FlagKey
  | { readonly flagKeys: readonly FlagKey[] }
  | { readonly tags: readonly string[] }
  | { readonly segmentsOf: FlagKey };

interface Wanted {
  readonly flagKeys?: readonly string[];
  readonly tags?: readonly string[];
  readonly segmentsOf?: string;
}

/** The test for one selector. Tags are looked for before and after the change, so that losing the tag is heard too. Throws `invalid_option`. */
export function selects(selector: FlagSelector): (change: FlagChange) => boolean {
  const wanted: Wanted = typeof selector === 'string' ? { flagKeys: [selector] } : Object(selector);
  const { flagKeys, tags, segmentsOf } = wanted;
  const names = new Set(flagKeys ?? tags ?? [segmentsOf]);
  if (names.has(undefined)) {
    throw new FlagError(
      'invalid_option',
      'A selector is a flag key, { flagKeys: […] }, { tags: […] } or { segmentsOf: key }.',
    );
  }
  return ({ flagKey, flag, previous }) =>
    tags
      ? [flag, previous].some((one) => one?.tags.some(({ value }) => names.has(value)))
      : names.has(flagKey) &&
        !(segmentsOf && JSON.stringify(flag?.segments) === JSON.stringify(previous?.segments));
}

/** The smallest filter that lets through everything that the selector selects. */
export function filterOf(selector: FlagSelector): FlagFilter {
  if (typeof selector === 'string') return { flagKeys: [selector] };
  return 'segmentsOf' in selector ? { segmentsOf: [selector.segmentsOf] } : selector;
}
