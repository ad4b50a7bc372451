/** What one client sees of all flags: snapshots and changes through its filter. Pure. */
import { type Change, type Flag, type FlagFilter, matchesFilter, type Snapshot } from '../core/model.ts';
import type { FlagSource, RecordedChange } from './sources/contract.ts';

export function snapshotOf(source: FlagSource, filter: FlagFilter | undefined): Snapshot {
  const { epoch, revision, catalogue } = source;
  const flags: Flag[] = [];
  for (const { flag, archived } of catalogue.records.values()) {
    if (!archived && matchesFilter(filter, flag)) flags.push(flag);
  }
  return { epoch, revision, flags };
}

/** A flag that leaves the filter is deleted for this client; one that was outside and stays there is not news. */
export function changesWithin(
  filter: FlagFilter | undefined,
  changes: readonly RecordedChange[],
): readonly Change[] {
  if (filter === undefined) return changes.map(({ change }) => change);
  return changes.flatMap((recorded) => changeWithin(filter, recorded) ?? []);
}

function changeWithin(filter: FlagFilter, { change, previousTags }: RecordedChange): Change | undefined {
  const { flag, flagID, flagKey } = change;
  if (flag !== null && matchesFilter(filter, flag)) return change;
  if (previousTags === undefined || !wasWithin(filter, flagID, flagKey, previousTags)) return undefined;
  const { epoch, revision, timestampMs } = change;
  return { type: 'FLAG_DELETED', epoch, revision, timestampMs, flagID, flagKey, flag: null };
}

/** Id and key of a flag do not differ before and after one change (a rename is two), so the tags are all that is needed of the past. */
function wasWithin(filter: FlagFilter, id: number, key: string, tags: readonly string[]): boolean {
  const then = { ...UNTAGGED, id, key, tags: tags.map((value) => ({ id: 0, value })) };
  return matchesFilter(filter, then);
}

const UNTAGGED: Flag = {
  id: 0,
  key: '',
  description: '',
  enabled: false,
  snapshotID: 0,
  dataRecordsEnabled: false,
  entityType: null,
  dependsOn: [],
  segments: [],
  variants: [],
  tags: [],
  updatedAt: null,
};
