/** The copy of the flags in this tab's memory, and the one door for updates to it: each enters whole or not at all. */
import type { ChangeType, EventId, Flag } from '../core/model.ts';
import { differingKeys } from '../core/state/differing-keys.ts';
import { changesOf, type FlagChange } from '../core/state/flag-change.ts';
import { applyUpdate, type Update } from '../core/state/update.ts';
import { createShownFlags, type ShownFlags } from './shown-flags.ts';

export interface Mirror extends Omit<ShownFlags, 'show' | 'compilePattern'> {
  /** The changes to tell subscribers, or `gap` when the update does not follow what is held. An older state changes nothing. */
  apply(update: Update): readonly FlagChange[] | 'gap';
}

const NO_FLAGS: ReadonlyMap<string, Flag> = new Map();

export function createMirror(shown: ShownFlags = createShownFlags()): Mirror {
  const changesTo = (
    next: ReadonlyMap<string, Flag>,
    keys: readonly string[],
    types: ReadonlyMap<string, ChangeType>,
    revision: number,
  ): FlagChange[] => changesOf(keys, { before: shown.flags, after: next, types, revision });

  return {
    get held() {
      return shown.held;
    },
    get flags() {
      return shown.flags;
    },
    byKey: shown.byKey,
    byID: shown.byID,
    apply: (update) => {
      const { held, flags } = shown;
      if (update.kind === 'empty') {
        const changes = changesTo(NO_FLAGS, [...flags.keys()], new Map(), held?.revision ?? 0);
        shown.show(undefined, NO_FLAGS);
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
      shown.show(eventIdOf(update), next);
      return changes;
    },
  };
}

function eventIdOf({ epoch, revision }: EventId): EventId {
  return { epoch, revision };
}
