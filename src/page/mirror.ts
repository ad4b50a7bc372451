/** The copy of the flags in this tab's memory. Every read ends here; every update enters here, whole or not at all. */
import type { ChangeType, EventId, Flag } from '../core/model.ts';
import { differingKeys } from '../core/state/differing-keys.ts';
import type { Update } from '../core/state/update.ts';
import type { FlagChange } from './flag-client.ts';

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
  ): FlagChange[] =>
    keys.map((flagKey) => ({
      flagKey,
      flag: next.get(flagKey),
      previous: flags.get(flagKey),
      type: types.get(flagKey),
      revision,
    }));

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
      const isSameHistory = held?.epoch === update.epoch;
      // A hub that was restarted from storage can be behind this tab; it will catch up, and the tab never goes back.
      if (isSameHistory && update.revision < (held?.revision ?? 0)) return [];
      if (update.kind === 'all') {
        const all = JSON.parse(update.flagsJson) as readonly Flag[];
        const next = new Map(all.map((flag) => [flag.key, flag]));
        const changes = changesTo(next, differingKeys(flags, next), new Map(), update.revision);
        replace(update, next);
        return changes;
      }
      // Patches carry whole flags, so one that begins earlier than this tab's revision still leads to its end.
      if (!isSameHistory || update.fromRevision > (held?.revision ?? -1)) return 'gap';
      const next = new Map(flags);
      for (const { flagKey, flag } of update.patches) {
        if (flag === null) next.delete(flagKey);
        else next.set(flagKey, flag);
      }
      const types = new Map(update.patches.map(({ flagKey, type }) => [flagKey, type]));
      const changes = changesTo(next, [...types.keys()], types, update.revision);
      replace(update, next);
      return changes;
    },
  };
}
