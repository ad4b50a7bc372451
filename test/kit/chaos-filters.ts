/** Which flags the tabs of a chaos world ask for, and whether what is shown or stored is a truth seen through such a filter. */
import { isDeepStrictEqual } from 'node:util';
import type { Flag, FlagFilter } from '../../src/core/model.ts';
import { filterKeyOf, unionOfFilters } from '../../src/core/state/filter.ts';

/** `by tab`: the first three tabs see one or two flags of three, the fourth sees all. */
export type Filters = 'everything' | 'by tab';

type Flags = ReadonlyMap<string, Flag>;

const BY_TAB: readonly (FlagFilter | undefined)[] = [
  { flagKeys: ['a'] },
  { flagKeys: ['a', 'b'] },
  { flagKeys: ['b'] },
  undefined,
];

export function filterOf(filters: Filters, slot: number): FlagFilter | undefined {
  return filters === 'everything' ? undefined : BY_TAB[slot];
}

export function letsThrough(filter: FlagFilter | undefined, key: string): boolean {
  return filter === undefined || filter.flagKeys?.includes(key) === true;
}

export function seenThrough(filter: FlagFilter | undefined, flags: Flags): Flags {
  return new Map([...flags].filter(([key]) => letsThrough(filter, key)));
}

/** What a hub can replicate: the union of what its tabs ask for. `filterKey` names one of them; without it each is tried. */
export function isSeenThroughOne(
  filters: Filters,
  { shown, truth, filterKey }: { shown: Flags; truth: Flags | undefined; filterKey?: string },
): boolean {
  const possible = filters === 'everything' ? [undefined] : unions(BY_TAB);
  return possible
    .filter((filter) => filterKey === undefined || filterKeyOf(filter) === filterKey)
    .some((filter) => truth !== undefined && isDeepStrictEqual(new Map(shown), seenThrough(filter, truth)));
}

function unions(filters: readonly (FlagFilter | undefined)[]): readonly (FlagFilter | undefined)[] {
  return filters.flatMap((first, at) => filters.slice(at).map((second) => unionOfFilters(first, second)));
}
