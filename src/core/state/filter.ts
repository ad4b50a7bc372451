/** Filters as values: their union, and a text that is the same for the same filter. */
import type { FlagFilter } from '../model.ts';

const KINDS = ['flagKeys', 'flagIDs', 'tags', 'segmentsOf'] as const;

/** Lets through what either lets through; `undefined` lets everything through. */
export function unionOfFilters(a: FlagFilter | undefined, b: FlagFilter | undefined): FlagFilter | undefined {
  if (a === undefined || b === undefined) return undefined;
  return Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      [...new Set<string | number>([...(a[kind] ?? []), ...(b[kind] ?? [])])].sort(),
    ]),
  ) as FlagFilter;
}

/** Empty for no filter. */
export function filterKeyOf(filter: FlagFilter | undefined): string {
  return filter === undefined ? '' : JSON.stringify(KINDS.map((kind) => [...(filter[kind] ?? [])].sort()));
}
