/**
 * What is held, and how a message changes it. The only place where flags are replaced.
 *
 *   nothing held ──snapshot──► held(epoch, revision) ──change revision+1──► held(epoch, revision+1)
 *                                   │ ▲
 *        gap, other epoch: need 'snapshot'  └── snapshot (newer, same, or of another epoch)
 *        duplicate or older: refused, nothing moves
 */
import type { Change, EventId, Flag, Snapshot } from '../model.ts';
import type { Message } from '../protocol/messages.ts';
import { differingKeys } from './differing-keys.ts';

/** The flags at one revision of one epoch, by key. */
export interface Held extends EventId {
  readonly flags: ReadonlyMap<string, Flag>;
  /** True when a filter leaves revisions out, so that a jump in revisions is no gap. */
  readonly isFiltered: boolean;
}

export interface Reduced {
  /** The same reference as before when nothing was taken over. A snapshot is always taken over, unless it is older. */
  readonly held: Held | undefined;
  /** Keys whose flag is new, different or gone, each once. */
  readonly changedKeys: readonly string[];
  /** The changes that were applied, in order; empty after a snapshot. */
  readonly applied: readonly Change[];
  /** `'snapshot'` when what is held cannot be brought up to date by changes. */
  readonly need: 'snapshot' | undefined;
  /** Duplicates and older states that were refused. */
  readonly refused: number;
}

export function reduce(held: Held | undefined, message: Message, isFiltered = false): Reduced {
  switch (message.kind) {
    case 'snapshot':
      return replaceWith(held, message.snapshot, isFiltered);
    case 'change':
      return applyChanges(held, [message.change]);
    case 'batch':
      return applyChanges(held, message.changes);
    case 'bye':
    case 'unknown':
      return unchanged(held);
  }
}

function unchanged(held: Held | undefined, facts: Partial<Reduced> = {}): Reduced {
  return { held, changedKeys: [], applied: [], need: undefined, refused: 0, ...facts };
}

function replaceWith(held: Held | undefined, snapshot: Snapshot, isFiltered: boolean): Reduced {
  const { epoch, revision } = snapshot;
  if (held?.epoch === epoch && revision < held.revision) return unchanged(held, { refused: 1 });
  const flags = new Map(snapshot.flags.map((flag) => [flag.key, flag]));
  return {
    held: { epoch, revision, flags, isFiltered },
    changedKeys: differingKeys(held?.flags, flags),
    applied: [],
    need: undefined,
    refused: 0,
  };
}

/** Changes are applied up to the first one that does not follow; the map is copied once for all of them. */
function applyChanges(held: Held | undefined, changes: readonly Change[]): Reduced {
  if (held === undefined) return unchanged(held, { need: 'snapshot' });
  const applied: Change[] = [];
  const flags = new Map(held.flags);
  let revision = held.revision;
  let refused = 0;
  let need: Reduced['need'];
  for (const change of changes) {
    if (change.epoch !== held.epoch || (change.revision > revision + 1 && !held.isFiltered)) {
      need = 'snapshot';
      break;
    }
    if (change.revision <= revision) {
      refused += 1;
      continue;
    }
    revision = change.revision;
    applied.push(change);
    if (change.flag === null) flags.delete(change.flagKey);
    else flags.set(change.flagKey, change.flag);
  }
  if (applied.length === 0) return unchanged(held, { need, refused });
  return {
    held: { ...held, revision, flags },
    changedKeys: [...new Set(applied.map((change) => change.flagKey))],
    applied,
    need,
    refused,
  };
}
