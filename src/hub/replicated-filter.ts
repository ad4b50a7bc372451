/** What the hub replicates: what the filters of all tabs, its own and those of other hubs, let through together. */
import type { FlagFilter } from '../core/model.ts';
import { filterKeyOf, unionOfFilters } from '../core/state/filter.ts';

export interface ReplicatedFilter {
  /** `undefined` lets everything through. */
  readonly current: FlagFilter | undefined;
  /** For other hubs to hear. */
  wants(): FlagFilter | 'everything' | 'nothing';
  /** The filter only ever grows while the hub lives: a tab must not take flags away from another. */
  widen(wanted: FlagFilter | undefined): void;
}

/** `onWider`: there is a filter now, or another one. `isFirst`: nothing was replicated before. */
export function createReplicatedFilter(
  onWider: (filter: FlagFilter | undefined, isFirst: boolean) => void,
): ReplicatedFilter {
  let current: FlagFilter | undefined;
  let hasFilter = false;
  return {
    get current() {
      return current;
    },
    wants: () => (hasFilter ? (current ?? 'everything') : 'nothing'),
    widen: (wanted) => {
      const isFirst = !hasFilter;
      const wider = isFirst ? wanted : unionOfFilters(current, wanted);
      if (!isFirst && filterKeyOf(wider) === filterKeyOf(current)) return;
      hasFilter = true;
      current = wider;
      onWider(wider, isFirst);
    },
  };
}
