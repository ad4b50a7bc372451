/** Many flags at once, with the ids they have elsewhere: rollouts go on as they were. The same file twice changes nothing. */
import { FlagError } from '../../core/errors.ts';
import type { Constraint, Distribution, Flag, Segment, Tag } from '../../core/model.ts';
import { LIMITS } from '../../core/protocol/limits.ts';
import { conflict } from '../http-error.ts';
import { type FlagRecord, type IDs, idsAfter, inServerOrder, isSameContent } from '../record.ts';
import type { Catalogue, Write } from '../sources/contract.ts';
import type { Edit } from './edit-flag.ts';
import type { ImportedFlag } from './read-import.ts';

export interface ImportCounts {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

/** Flags that are not in the file are left alone. */
export function importFlags(imported: readonly ImportedFlag[]): Edit<ImportCounts> {
  return (catalogue) => {
    const ids = idsAfter(catalogue.lastIDs);
    const tagged = tagIDs(catalogue, imported, ids);
    const writes: Write[] = [];
    let added = 0;
    for (const { flag, beside } of imported) {
      refuseOtherFlag(catalogue, flag);
      const before = catalogue.records.get(flag.id);
      const record = {
        ...(before ?? NOTHING_BESIDE),
        ...beside,
        flag: withIDs(flag, before?.flag, ids, tagged),
      };
      if (before !== undefined && isSameContent(before, record)) continue;
      if (before === undefined) added += 1;
      writes.push({ record, type: 'FLAG_UPDATED' });
    }
    refuseTooMany(catalogue.records.size + added);
    const counts = { added, changed: writes.length - added, unchanged: imported.length - writes.length };
    return { writes, lastIDs: ids.last, answer: () => counts };
  };
}

const NOTHING_BESIDE: Omit<FlagRecord, 'flag'> = {
  notes: null,
  createdBy: null,
  updatedBy: null,
  environmentId: null,
  projectId: null,
  archived: false,
};

/** An id is a flag for ever, and so is its key: a file from another server must not turn one flag into another. */
function refuseOtherFlag(catalogue: Catalogue, { id, key }: Flag): void {
  const sameID = catalogue.records.get(id);
  if (sameID !== undefined && sameID.flag.key !== key) {
    throw conflict(
      `Flag ${id} is "${sameID.flag.key}" here, but "${key}" in the import. Rename one of them, or import into an empty database.`,
    );
  }
  const sameKey = catalogue.byKey(key);
  if (sameKey !== undefined && sameKey.flag.id !== id) {
    throw conflict(
      `Flag "${key}" has the id ${sameKey.flag.id} here, but ${id} in the import. Delete or rename it here, or import into an empty database.`,
    );
  }
}

function refuseTooMany(count: number): void {
  if (count <= LIMITS.flags) return;
  throw new FlagError('too_large', `The server would hold ${count} flags; the limit is ${LIMITS.flags}.`);
}

/** A value that is known keeps its id; a new one gets the file's, unless that is another tag here. */
function tagIDs(
  catalogue: Catalogue,
  imported: readonly ImportedFlag[],
  ids: IDs,
): ReadonlyMap<string, number> {
  const byValue = new Map(catalogue.tags);
  const taken = new Set(byValue.values());
  const late = new Set<string>();
  for (const { value, id } of imported.flatMap(({ flag }) => flag.tags)) {
    if (byValue.has(value)) continue;
    if (id === 0 || taken.has(id)) late.add(value);
    else byValue.set(value, ids.take('tag', id));
    taken.add(id);
  }
  for (const value of late) if (!byValue.has(value)) byValue.set(value, ids.next('tag'));
  return byValue;
}

/** Ids of the file are kept; parts without one get that of the same part here, or a new one. */
function withIDs(flag: Flag, before: Flag | undefined, ids: IDs, tagged: ReadonlyMap<string, number>): Flag {
  const variantKeys = new Map(flag.variants.map(({ id, key }) => [ids.take('variant', id), key]));
  const tags = new Map(
    flag.tags.map(({ id, value }): [string, Tag] => [value, { id: tagged.get(value) ?? id, value }]),
  );
  return inServerOrder({
    ...flag,
    id: ids.take('flag', flag.id),
    tags: [...tags.values()],
    segments: flag.segments.map((segment) => {
      const old = before?.segments.find(({ id }) => id === segment.id);
      return {
        ...segment,
        id: ids.take('segment', segment.id),
        constraints: segment.constraints.map((constraint, index) => ({
          ...constraint,
          id: constraintID(constraint, old?.constraints[index], ids),
        })),
        distributions: segment.distributions.map((distribution) => ({
          ...distribution,
          id: distributionID(distribution, old, ids),
          variantKey: variantKeys.get(distribution.variantID) ?? null,
        })),
      };
    }),
  });
}

function constraintID(
  { id, property, operator, value }: Constraint,
  old: Constraint | undefined,
  ids: IDs,
): number {
  if (id > 0) return ids.take('constraint', id);
  const isSame = old?.property === property && old.operator === operator && old.value === value;
  return isSame ? old.id : ids.next('constraint');
}

function distributionID({ id, variantID }: Distribution, old: Segment | undefined, ids: IDs): number {
  if (id > 0) return ids.take('distribution', id);
  return old?.distributions.find((share) => share.variantID === variantID)?.id ?? ids.next('distribution');
}
