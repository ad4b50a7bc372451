/** What the hub hands to a tab: flags from one revision to another. Merged while a tab is busy, applied whole or not at all. */
import type { Change, ChangeType, Flag } from '../model.ts';
import type { Held } from './reduce.ts';

/** The newest state of one flag; `flag` is `null` when it is gone. */
export interface FlagPatch {
  readonly flagKey: string;
  readonly flag: Flag | null;
  readonly type: ChangeType;
}

export type Update =
  /** Nothing is held any more: after `forget`. */
  | { readonly kind: 'empty' }
  /** All flags, as one JSON list: a string crosses a port far faster than 10 000 objects. */
  | {
      readonly kind: 'all';
      readonly epoch: string;
      readonly revision: number;
      readonly flagsJson: string;
    }
  /** What changed between two revisions of one epoch. */
  | {
      readonly kind: 'patch';
      readonly epoch: string;
      readonly fromRevision: number;
      readonly revision: number;
      readonly patches: readonly FlagPatch[];
    };

/**
 * The flags that the update leads to. `gap`: it does not follow what is held. `old`: what is held is newer. A patch carries whole flags,
 * so one that begins earlier than what is held still leads to its end.
 */
export function applyUpdate(
  held: Pick<Held, 'epoch' | 'revision' | 'flags'> | undefined,
  update: Exclude<Update, { kind: 'empty' }>,
): ReadonlyMap<string, Flag> | 'gap' | 'old' {
  const isSameHistory = held?.epoch === update.epoch;
  if (isSameHistory && update.revision < held.revision) return 'old';
  if (update.kind === 'all') {
    const all = JSON.parse(update.flagsJson) as readonly Flag[];
    return new Map(all.map((flag) => [flag.key, flag]));
  }
  if (!isSameHistory || update.fromRevision > held.revision) return 'gap';
  const flags = new Map(held.flags);
  for (const { flagKey, flag } of update.patches) {
    if (flag === null) flags.delete(flagKey);
    else flags.set(flagKey, flag);
  }
  return flags;
}

export function patchOf(before: Held, after: Held, applied: readonly Change[]): Update {
  const newest = new Map(applied.map((change) => [change.flagKey, change]));
  const patches = [...newest.values()].map(({ flagKey, flag, type }) => ({ flagKey, flag, type }));
  return {
    kind: 'patch',
    epoch: after.epoch,
    fromRevision: before.revision,
    revision: after.revision,
    patches,
  };
}

/** One update that does what the two did in turn. Two patches must meet; a later whole replaces everything. */
export function mergeUpdates(earlier: Update | undefined, later: Update): Update | undefined {
  if (earlier === undefined || later.kind !== 'patch') return later;
  if (earlier.kind !== 'patch' || !meets(earlier, later)) return undefined;
  const newest = new Map([...earlier.patches, ...later.patches].map((patch) => [patch.flagKey, patch]));
  return { ...later, fromRevision: earlier.fromRevision, patches: [...newest.values()] };
}

/** True when the patch begins where the other state ends. */
function meets(
  end: { readonly epoch: string; readonly revision: number },
  patch: Extract<Update, { kind: 'patch' }>,
): boolean {
  return end.epoch === patch.epoch && end.revision === patch.fromRevision;
}
