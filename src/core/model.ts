/** The words of the domain, as data. Shapes follow Flagent 0.1.7; what a browser must not see (notes, authors) is not here. */

/** The comparisons that a constraint can make; `core/evaluate/operators` says what each means. */
export const CONSTRAINT_OPERATORS = [
  'EQ',
  'NEQ',
  'LT',
  'LTE',
  'GT',
  'GTE',
  'EREG',
  'NEREG',
  'IN',
  'NOTIN',
  'CONTAINS',
  'NOTCONTAINS',
] as const;

export type ConstraintOperator = (typeof CONSTRAINT_OPERATORS)[number];

/** A named condition over one property of the entity context. All constraints of a segment must hold. */
export interface Constraint {
  readonly id: number;
  readonly property: string;
  /** One of `CONSTRAINT_OPERATORS`; any other, from a newer server, never matches. */
  readonly operator: string;
  readonly value: string;
}

/** The share of a segment's entities that gets a variant. */
export interface Distribution {
  readonly id: number;
  readonly variantID: number;
  readonly variantKey: string | null;
  /** Whole percent, 0–100; the distributions of one segment add up to 100. */
  readonly percent: number;
}

/** A group of entities, chosen by constraints, of which a percentage is let in. */
export interface Segment {
  readonly id: number;
  readonly description: string;
  /** Segments are tried in ascending rank; equal ranks keep their order. */
  readonly rank: number;
  /** Whole percent, 0–100. */
  readonly rolloutPercent: number;
  readonly constraints: readonly Constraint[];
  readonly distributions: readonly Distribution[];
}

/** One of the values a flag can take, with an optional payload of strings. */
export interface Variant {
  readonly id: number;
  readonly key: string;
  readonly attachment: Readonly<Record<string, string>> | null;
}

/** A label; subscriptions, filters and access limits select flags by `value`. */
export interface Tag {
  readonly id: number;
  readonly value: string;
}

/** One feature flag with everything needed to evaluate it without a server. */
export interface Flag {
  /** Salts the rollout: the same flag under another id puts entities into other buckets. */
  readonly id: number;
  readonly key: string;
  readonly description: string;
  readonly enabled: boolean;
  /** Grows with every edit of this flag on the server. */
  readonly snapshotID: number;
  readonly dataRecordsEnabled: boolean;
  /** Used when an evaluation names no entity type. */
  readonly entityType: string | null;
  /** Keys of flags that must yield a variant before this one can. */
  readonly dependsOn: readonly string[];
  readonly segments: readonly Segment[];
  readonly variants: readonly Variant[];
  readonly tags: readonly Tag[];
  /** Local date and time without a zone, as Flagent writes it: `2026-03-05T10:00:00.123`. */
  readonly updatedAt: string | null;
}

/** What to replicate. Several kinds add up (union); an absent filter means every flag the token may see. */
export interface FlagFilter {
  readonly flagKeys?: readonly string[];
  readonly flagIDs?: readonly number[];
  readonly tags?: readonly string[];
  /** Keys of flags whose segment and distribution changes are wanted. */
  readonly segmentsOf?: readonly string[];
}

/** Names one state of one server history; `epoch.revision` on the wire. */
export interface EventId {
  readonly epoch: string;
  readonly revision: number;
}

/** The seven kinds of change, as Flagent's real-time documentation names them. */
export const CHANGE_TYPES = [
  'FLAG_CREATED',
  'FLAG_UPDATED',
  'FLAG_DELETED',
  'FLAG_ENABLED',
  'FLAG_DISABLED',
  'SEGMENT_UPDATED',
  'DISTRIBUTION_UPDATED',
] as const;

export type ChangeType = (typeof CHANGE_TYPES)[number];

/** One flag's new state, or its removal, at one revision. */
export interface Change {
  readonly type: ChangeType;
  readonly epoch: string;
  readonly revision: number;
  /** Server clock, milliseconds since 1970. */
  readonly timestampMs: number;
  readonly flagID: number;
  readonly flagKey: string;
  /** The whole flag after the change; `null` when it was deleted. */
  readonly flag: Flag | null;
  /** Set for SEGMENT_UPDATED and DISTRIBUTION_UPDATED. */
  readonly segmentID?: number;
}

/** All visible flags at one revision. */
export interface Snapshot {
  readonly epoch: string;
  readonly revision: number;
  readonly flags: readonly Flag[];
}

/** True when the filter lets the flag through. */
export function matchesFilter(filter: FlagFilter | undefined, flag: Flag): boolean {
  if (filter === undefined) return true;
  return (
    filter.flagKeys?.includes(flag.key) === true ||
    filter.segmentsOf?.includes(flag.key) === true ||
    filter.flagIDs?.includes(flag.id) === true ||
    (filter.tags !== undefined && flag.tags.some((tag) => filter.tags?.includes(tag.value)))
  );
}
