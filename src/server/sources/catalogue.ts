/** The flags of a source in memory, indexed for reading. Only the source that owns it may put records in. */
import { type FlagRecord, ID_KINDS, type LastIDs } from '../record.ts';
import type { Catalogue } from './contract.ts';

export interface OwnedCatalogue extends Catalogue {
  put(records: readonly FlagRecord[], lastIDs: LastIDs): void;
}

export function createCatalogue(initial: readonly FlagRecord[], initialIDs: LastIDs): OwnedCatalogue {
  let records = new Map<number, FlagRecord>();
  const live = new Map<string, FlagRecord>();
  const tags = new Map<string, number>();
  let lastIDs = initialIDs;
  let highestID = 0;

  function put(written: readonly FlagRecord[], ids: LastIDs): void {
    let isInOrder = true;
    for (const record of written) {
      const { id, key } = record.flag;
      const before = records.get(id);
      if (before !== undefined && live.get(before.flag.key) === before) live.delete(before.flag.key);
      if (before === undefined && id < highestID) isInOrder = false;
      highestID = Math.max(highestID, id);
      records.set(id, record);
      if (!record.archived) live.set(key, record);
      for (const tag of record.flag.tags) tags.set(tag.value, tag.id);
    }
    // Only an import brings ids between others.
    if (!isInOrder) records = new Map([...records].sort(([a], [b]) => a - b));
    lastIDs = ids;
  }

  put(initial, initialIDs);
  return {
    get records() {
      return records;
    },
    tags,
    get lastIDs() {
      return lastIDs;
    },
    byKey: (key) => live.get(key),
    put,
  };
}

/** The counters raised to cover every id in use, so that a counter that was lost cannot give an id twice. */
export function coverIDs(lastIDs: LastIDs, records: Iterable<FlagRecord>): LastIDs {
  const last = { ...lastIDs };
  for (const { flag } of records) {
    const used = {
      flag: [flag],
      segment: flag.segments,
      constraint: flag.segments.flatMap((segment) => segment.constraints),
      distribution: flag.segments.flatMap((segment) => segment.distributions),
      variant: flag.variants,
      tag: flag.tags,
    };
    for (const kind of ID_KINDS) for (const { id } of used[kind]) last[kind] = Math.max(last[kind], id);
  }
  return last;
}
