/** The frame of every edit of one flag: find it, refuse when it is archived, make one write of what comes out. */
import type { ChangeType, Flag, Segment } from '../../core/model.ts';
import { conflict, notFound } from '../http-error.ts';
import { type FlagRecord, type IDs, idsAfter, inServerOrder } from '../record.ts';
import type { Catalogue, Plan } from '../sources/contract.ts';

/** Decides on the flags as they are; committed by `FlagSource.edit`. */
export type Edit<T> = (catalogue: Catalogue) => Plan<T>;

export interface EditedFlag<T> {
  readonly flag: Flag;
  readonly type: ChangeType;
  readonly segmentID?: number;
  /** Called with the flag as committed. */
  answer(now: Flag): T;
}

export function editFlag<T>(flagID: number, edit: (flag: Flag, ids: IDs) => EditedFlag<T>): Edit<T> {
  return (catalogue) => {
    const record = liveRecord(catalogue, flagID);
    const ids = idsAfter(catalogue.lastIDs);
    const { flag, answer, ...change } = edit(record.flag, ids);
    return {
      writes: [{ record: { ...record, flag: inServerOrder(flag) }, ...change }],
      lastIDs: ids.last,
      answer: (now) => answer(recordOf(now, flagID).flag),
    };
  };
}

export function recordOf(catalogue: Catalogue, flagID: number): FlagRecord {
  const record = catalogue.records.get(flagID);
  if (record === undefined) throw notFound(`Flag ${flagID}`, 'GET /api/v1/flags lists all flags.');
  return record;
}

export function liveRecord(catalogue: Catalogue, flagID: number): FlagRecord {
  const record = recordOf(catalogue, flagID);
  if (!record.archived) return record;
  throw conflict(`Flag ${flagID} is deleted. Restore it first with PUT /api/v1/flags/${flagID}/restore.`);
}

/** Throws `not_found`. */
export function partOf<P extends { readonly id: number }>(parts: readonly P[], id: number, kind: string): P {
  const part = parts.find((candidate) => candidate.id === id);
  if (part === undefined) {
    const known = parts.map((candidate) => candidate.id).join(', ') || 'none';
    throw notFound(`${kind} ${id}`, `Known here: ${known}.`);
  }
  return part;
}

export function withPart<P extends { readonly id: number }>(parts: readonly P[], part: P): readonly P[] {
  const isKnown = parts.some(({ id }) => id === part.id);
  return isKnown ? parts.map((old) => (old.id === part.id ? part : old)) : [...parts, part];
}

export function withSegment(flag: Flag, segment: Segment): Flag {
  return { ...flag, segments: withPart(flag.segments, segment) };
}
