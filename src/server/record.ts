/** A flag as the server keeps it: what clients get, and beside it what only editors see. */
import type { Flag } from '../core/model.ts';

export interface FlagRecord {
  /** What streams and snapshots carry. Its `snapshotID` is the revision of its latest change. */
  readonly flag: Flag;
  readonly notes: string | null;
  readonly createdBy: string | null;
  readonly updatedBy: string | null;
  readonly environmentId: number | null;
  readonly projectId: number | null;
  /** Deleted, but kept: its id is never given away, and it can be restored. Clients do not see it. */
  readonly archived: boolean;
}

/** The kinds of things that have an id of their own. */
export const ID_KINDS = ['flag', 'segment', 'constraint', 'distribution', 'variant', 'tag'] as const;

export type IDKind = (typeof ID_KINDS)[number];

/** The highest id ever given, by kind. Only grows, so that no id comes back: a flag's id salts its rollout. */
export type LastIDs = Readonly<Record<IDKind, number>>;

/** Gives new ids during one edit; `last` then belongs into the plan. */
export interface IDs {
  next(kind: IDKind): number;
  /** An id that came with an import is taken: later ones are higher. */
  take(kind: IDKind, id: number): number;
  readonly last: LastIDs;
}

export function idsAfter(lastIDs: LastIDs): IDs {
  const last = { ...lastIDs };
  return {
    next: (kind) => (last[kind] += 1),
    take(kind, id) {
      last[kind] = Math.max(last[kind], id);
      return id;
    },
    get last() {
      return { ...last };
    },
  };
}

/** True when an edit from `before` to `after` would change nothing but its own traces. */
export function isSameContent(before: FlagRecord, after: FlagRecord): boolean {
  return before === after || contentOf(before) === contentOf(after);
}

function contentOf(record: FlagRecord): string {
  return JSON.stringify({ ...record, flag: { ...record.flag, snapshotID: 0, updatedAt: null } });
}

/** The flag with its parts in the order in which Flagent gives them, on which evaluation depends. */
export function inServerOrder(flag: Flag): Flag {
  return {
    ...flag,
    segments: flag.segments
      .map((segment) => ({
        ...segment,
        distributions: segment.distributions.toSorted((a, b) => a.variantID - b.variantID),
      }))
      .toSorted((a, b) => a.rank - b.rank || a.id - b.id),
    variants: flag.variants.toSorted((a, b) => a.id - b.id),
    tags: flag.tags.toSorted((a, b) => a.id - b.id),
  };
}
