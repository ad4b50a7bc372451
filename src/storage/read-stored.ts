/** Puts the newest flags together from what is stored: snapshot, else the one before it, then the log up to the first gap or damage. */
import type { IDBPDatabase } from 'idb';
import { crc32 } from '../core/evaluate/rollout.ts';
import type { Change } from '../core/model.ts';
import { readFlags } from '../core/protocol/decode-flag.ts';
import { decodeChanges } from '../core/protocol/messages.ts';
import { attempt, readJson } from '../core/protocol/read.ts';
import { type Held, reduce } from '../core/state/reduce.ts';
import type { StoredFlags } from './contract.ts';
import type { FlagDatabase, LogRecord, SnapshotRecord } from './database.ts';

export async function readStored(db: IDBPDatabase<FlagDatabase>): Promise<StoredFlags | undefined> {
  const tx = db.transaction(['snapshot', 'log', 'meta'], 'readonly');
  const [a, b, log, meta] = await Promise.all([
    tx.objectStore('snapshot').get('a'),
    tx.objectStore('snapshot').get('b'),
    tx.objectStore('log').getAll(),
    tx.objectStore('meta').get('head'),
  ]);
  const head = typeof meta === 'object' ? meta : undefined;
  const newestFirst = head?.newest === 'b' ? [b, a] : [a, b];
  for (const record of newestFirst) {
    const held = record && decodeSnapshotRecord(record);
    if (record === undefined || held === undefined) continue;
    return {
      held: applyLog(held, log),
      confirmedAtMs: head?.confirmedAtMs ?? record.savedAtMs,
      filterKey: record.filterKey,
    };
  }
  return undefined;
}

/** `undefined` when the record is damaged. */
function decodeSnapshotRecord(record: SnapshotRecord): Held | undefined {
  const { epoch, revision, flagsJson, hash, filterKey } = record;
  if (typeof flagsJson !== 'string' || crc32(flagsJson) !== hash) return undefined;
  const flags = attempt(() =>
    readFlags(readJson(flagsJson, 'stored flags', Number.MAX_SAFE_INTEGER), 'stored flags'),
  );
  if (!flags.ok) return undefined;
  return {
    epoch,
    revision,
    flags: new Map(flags.value.map((flag) => [flag.key, flag])),
    isFiltered: filterKey !== '',
  };
}

/** All readable changes at once, since the map of flags is copied once per reduce. What does not follow is refused there. */
function applyLog(held: Held, log: readonly LogRecord[]): Held {
  const changes: Change[] = [];
  for (const record of log) {
    const readable = decodeLogRecord(record);
    // A damaged record is a gap: nothing behind it can be trusted to follow.
    if (readable === undefined) break;
    changes.push(
      ...readable.filter(({ epoch, revision }) => epoch === held.epoch && revision > held.revision),
    );
  }
  return reduce(held, { kind: 'batch', changes }).held ?? held;
}

function decodeLogRecord({ epoch, changesJson, hash }: LogRecord): readonly Change[] | undefined {
  if (typeof changesJson !== 'string' || crc32(changesJson) !== hash) return undefined;
  const changes = decodeChanges(changesJson, epoch);
  return changes.ok ? changes.value : undefined;
}
