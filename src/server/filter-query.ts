/** The filter in a URL: repeatable `flagKey`, `flagID`, `tag`, `segmentsOf`; several kinds add up. */
import { FlagError } from '../core/errors.ts';
import type { FlagFilter } from '../core/model.ts';
import { LIMITS } from '../core/protocol/limits.ts';
import { readKey } from '../core/protocol/read.ts';

/** `undefined` when the query names none of the four: everything is wanted. Throws `invalid_data` and `too_large`. */
export function readFilterQuery(query: URLSearchParams): FlagFilter | undefined {
  const flagKeys = names(query, 'flagKey');
  const flagIDs = names(query, 'flagID').map(readFlagID);
  const tags = names(query, 'tag');
  const segmentsOf = names(query, 'segmentsOf');
  const count = flagKeys.length + flagIDs.length + tags.length + segmentsOf.length;
  if (count === 0) return undefined;
  if (count > LIMITS.filterNames) {
    throw new FlagError(
      'too_large',
      `The filter has ${count} names; the limit is ${LIMITS.filterNames}. Filter by tag instead.`,
      { status: 400 },
    );
  }
  return {
    ...(flagKeys.length > 0 && { flagKeys }),
    ...(flagIDs.length > 0 && { flagIDs }),
    ...(tags.length > 0 && { tags }),
    ...(segmentsOf.length > 0 && { segmentsOf }),
  };
}

/** Sorted and each once, so that clients who ask for the same flags share what is encoded for them. */
function names(query: URLSearchParams, parameter: string): readonly string[] {
  const values = query.getAll(parameter).map((value) => readKey(value, parameter, LIMITS.keyLength));
  return [...new Set(values)].sort();
}

function readFlagID(text: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(id)) return id;
  throw new FlagError(
    'invalid_data',
    `flagID must be a whole number, but is ${JSON.stringify(text)}. To filter by key, use flagKey.`,
  );
}
