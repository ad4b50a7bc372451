/** From a plan to what is stored and sent: which changes it makes, at which revisions. Pure; the same for every source. */
import { FlagError } from '../../core/errors.ts';
import type { Change, ChangeType, EventId } from '../../core/model.ts';
import { type FlagRecord, isSameContent } from '../record.ts';
import type { Catalogue, RecordedChange, Write } from './contract.ts';

export interface Commit {
  /** The records to store, stamped. */
  readonly records: readonly FlagRecord[];
  /** One or two per record, consecutive revisions. */
  readonly changes: readonly RecordedChange[];
}

export function commitOf(
  catalogue: Catalogue,
  writes: readonly Write[],
  head: EventId,
  timestampMs: number,
): Commit {
  const records: FlagRecord[] = [];
  const changes: RecordedChange[] = [];
  for (const write of writes) {
    const before = catalogue.records.get(write.record.flag.id);
    if (before !== undefined && isSameContent(before, write.record)) continue;
    const steps = stepsBetween(before, write);
    const record = stamped(write.record, head.revision + changes.length + steps.length, timestampMs);
    for (const step of steps) {
      const revision = head.revision + changes.length + 1;
      changes.push(recorded({ epoch: head.epoch, revision }, timestampMs, step, before, record));
    }
    records.push(record);
  }
  refuseKeyTwice(catalogue, records);
  return { records, changes };
}

interface Step {
  readonly type: ChangeType;
  readonly flagKey: string;
  readonly segmentID?: number;
}

/** A renamed flag is gone under its old key and new under its new one: subscribers know flags by key. */
function stepsBetween(before: FlagRecord | undefined, { record, type, segmentID }: Write): readonly Step[] {
  const oldKey = before === undefined || before.archived ? undefined : before.flag.key;
  const newKey = record.archived ? undefined : record.flag.key;
  if (oldKey !== undefined && oldKey === newKey) {
    return [{ type, flagKey: newKey, ...(segmentID !== undefined && { segmentID }) }];
  }
  return [
    ...(oldKey === undefined ? [] : [{ type: 'FLAG_DELETED', flagKey: oldKey } as const]),
    ...(newKey === undefined ? [] : [{ type: 'FLAG_CREATED', flagKey: newKey } as const]),
  ];
}

/** Flagent's times have no zone; ours are UTC. */
function stamped(record: FlagRecord, revision: number, timestampMs: number): FlagRecord {
  const updatedAt = new Date(timestampMs).toISOString().slice(0, -1);
  return { ...record, flag: { ...record.flag, snapshotID: revision, updatedAt } };
}

function recorded(
  id: EventId,
  timestampMs: number,
  step: Step,
  before: FlagRecord | undefined,
  after: FlagRecord,
): RecordedChange {
  const isRemoval = step.type === 'FLAG_DELETED';
  const existed = before !== undefined && !before.archived && before.flag.key === step.flagKey;
  const change: Change = {
    ...step,
    ...id,
    timestampMs,
    flagID: after.flag.id,
    flag: isRemoval ? null : after.flag,
  };
  return { change, previousTags: existed ? before.flag.tags.map((tag) => tag.value) : undefined };
}

function refuseKeyTwice(catalogue: Catalogue, records: readonly FlagRecord[]): void {
  const written = new Map(records.map((record) => [record.flag.id, record]));
  const owners = new Map<string, number>();
  for (const { flag, archived } of records) {
    if (archived) continue;
    const held = catalogue.byKey(flag.key);
    const heldNow = held === undefined ? undefined : (written.get(held.flag.id) ?? held);
    const isHeld = heldNow?.flag.key === flag.key && !heldNow.archived && heldNow.flag.id !== flag.id;
    const owner = owners.get(flag.key) ?? (isHeld ? heldNow.flag.id : undefined);
    if (owner !== undefined) {
      throw new FlagError(
        'invalid_data',
        `Flag ${owner} already has the key "${flag.key}". Choose another key, or rename or delete flag ${owner} first.`,
        { status: 409 },
      );
    }
    owners.set(flag.key, flag.id);
  }
}
