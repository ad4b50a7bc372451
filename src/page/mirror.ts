/** The copy of the flags in this tab's memory. Every read ends here; every update enters here, whole or not at all. */
import type { ChangeType, EventId, Flag } from '../core/model.ts';
import { differingKeys } from '../core/state/differing-keys.ts';
import { changesOf, type FlagChange } from '../core/state/flag-change.ts';
import { applyUpdate, type Update } from '../core/state/update.ts';

export interface Mirror {
  /** What is held; `undefined` before the first flags and after `forget`. */
  readonly held: EventId | undefined;
  readonly flags: ReadonlyMap<string, Flag>;
  byKey(key: string): Flag | undefined;
  byID(id: number): Flag | undefined;
  /** The changes to tell subscribers, or `gap` when the update does not follow what is held. An older state changes nothing. */
  apply(update: Update): readonly FlagChange[] | 'gap';
}

const NO_FLAGS: ReadonlyMap<string, Flag> = new Map();

export function createMirror(): Mirror {
  let held: EventId | undefined;
  let flags = NO_FLAGS;
  let byID: Map<number, Flag> | undefined;

  const replace = (next: EventId | undefined, nextFlags: ReadonlyMap<string, Flag>): void => {
    held = next && { epoch: next.epoch, revision: next.revision };
    flags = nextFlags;
    byID = undefined;
  };

  const changesTo = (
    next: ReadonlyMap<string, Flag>,
    keys: readonly string[],
    types: ReadonlyMap<string, ChangeType>,
    revision: number,
  ): FlagChange[] => changesOf(keys, { before: flags, after: next, types, revision });

  return {
    get held() {
      return held;
    },
    get flags() {
      return flags;
    },
    byKey: (key) => flags.get(key),
    byID: (id) => {
      byID ??= new Map([...flags.values()].map((flag) => [flag.id, flag]));
      return byID.get(id);
    },
    apply: (update) => {
      if (update.kind === 'empty') {
        const changes = changesTo(NO_FLAGS, [...flags.keys()], new Map(), held?.revision ?? 0);
        replace(undefined, NO_FLAGS);
        return changes;
      }
      // A hub that was restarted from storage can be behind this tab; it will catch up, and the tab never goes back.
      const next = applyUpdate(held && { ...held, flags }, update);
      if (next === 'old') return [];
      if (next === 'gap') return next;
      const types = new Map(
        update.kind === 'all' ? [] : update.patches.map(({ flagKey, type }) => [flagKey, type]),
      );
      const keys = update.kind === 'all' ? differingKeys(flags, next) : [...types.keys()];
      const changes = changesTo(next, keys, types, update.revision);
      replace(update, next);
      return changes;
    },
  };
}
