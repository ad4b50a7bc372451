/** The door for selectors. */
import { FlagError } from '../core/errors.ts';
import type { FlagSelector } from '../core/state/selector.ts';

/** Throws `invalid_option`. An empty list would mean nothing here and everything on the wire. */
export function checkSelector(selector: FlagSelector): void {
  const isName = (name: unknown): boolean => typeof name === 'string' && name !== '';
  const isNames = (names: unknown): boolean =>
    Array.isArray(names) && names.length > 0 && names.every(isName);
  const checks: Readonly<Record<string, (value: unknown) => boolean>> = {
    flagKeys: isNames,
    tags: isNames,
    segmentsOf: isName,
  };
  if (isName(selector)) return;
  const entries = typeof selector === 'object' && selector !== null ? Object.entries(selector) : [];
  const [kind = '', value] = entries[0] ?? [];
  if (entries.length !== 1 || checks[kind]?.(value) !== true) {
    throw new FlagError(
      'invalid_option',
      `A selector is a flag key, { flagKeys: […] }, { tags: […] } or { segmentsOf: key }, with at least one name, but is ${JSON.stringify(selector)}.`,
    );
  }
}
