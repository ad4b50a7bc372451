/** Who has subscribed to what. A subscription hears nothing before `welcome` has told it what is held already. */
import type { FlagFilter } from '../core/model.ts';
import { filterKeyOf, unionOfFilters } from '../core/state/filter.ts';
import type { FlagChange } from '../core/state/flag-change.ts';
import { type FlagSelector, filterOf, selects } from '../core/state/selector.ts';
import { callListener } from '../system/listeners.ts';
import { filterQuery } from '../transport/request.ts';

export interface Subscriptions {
  readonly count: number;
  /** Somebody has not been welcomed yet. */
  readonly hasNewcomers: boolean;
  /** `undefined` selects every flag. The returned function takes the listener back at once. */
  add(selector: FlagSelector | undefined, listener: (change: FlagChange) => void): () => void;
  /** The smallest filter for all of them; `undefined` lets everything through. */
  wanted(): FlagFilter | undefined;
  tell(changes: readonly FlagChange[]): void;
  /** Tells the newcomers these changes, and from now on all that come. */
  welcome(changes: readonly FlagChange[]): void;
  clear(): void;
}

interface Subscription {
  readonly filter: FlagFilter | undefined;
  readonly isSelected: (change: FlagChange) => boolean;
  readonly listener: (change: FlagChange) => void;
  isNew: boolean;
}

export function createSubscriptions(): Subscriptions {
  const subscriptions = new Set<Subscription>();
  const newcomers = (): Subscription[] => [...subscriptions].filter(({ isNew }) => isNew);

  const tellThese = (listening: readonly Subscription[], changes: readonly FlagChange[]): void => {
    for (const change of changes) {
      for (const subscription of listening) {
        // Stopped meanwhile, perhaps by the listener before.
        if (!subscriptions.has(subscription) || !subscription.isSelected(change)) continue;
        callListener(subscription.listener, change);
      }
    }
  };

  return {
    get count() {
      return subscriptions.size;
    },
    get hasNewcomers() {
      return newcomers().length > 0;
    },
    add: (selector, listener) => {
      const subscription: Subscription = {
        filter: selector === undefined ? undefined : filterOf(selector),
        isSelected: selector === undefined ? () => true : selects(selector),
        listener,
        isNew: true,
      };
      subscriptions.add(subscription);
      return () => subscriptions.delete(subscription);
    },
    wanted: () => affordable([...subscriptions].map(({ filter }) => filter).reduce(unionOfFilters)),
    tell: (changes) =>
      tellThese(
        [...subscriptions].filter(({ isNew }) => !isNew),
        changes,
      ),
    welcome: (changes) => {
      const welcomed = newcomers();
      for (const subscription of welcomed) subscription.isNew = false;
      tellThese(welcomed, changes);
    },
    clear: () => subscriptions.clear(),
  };
}

/** Characters. Servers and proxies refuse request lines of more than 8 KB, and ours more than 1 000 names. */
const LONGEST_QUERY = 6_000;

/** Where so much is wanted that the names do not fit into an address, everything is asked for. */
function affordable(filter: FlagFilter | undefined): FlagFilter | undefined {
  return filterQuery(filter).length > LONGEST_QUERY ? undefined : filter;
}

/** True when a stream with the filter brings everything that the other one would. */
export function covers(filter: FlagFilter | undefined, other: FlagFilter | undefined): boolean {
  return filterKeyOf(unionOfFilters(filter, other)) === filterKeyOf(filter);
}
