/**
 * The records of the flag database, written and read side by side. Everything but the text is covered by the hash too, so that a record
 * is either what was written or damaged. The format only grows optional fields: what is unknown here is left alone.
 */
import { crc32 } from '../core/evaluate/rollout.ts';
import type { Change } from '../core/model.ts';
import { readFlag } from '../core/protocol/decode-flag.ts';
import { decodeChanges, encodeChanges } from '../core/protocol/messages.ts';
import {
  attempt,
  readCount,
  readJson,
  readList,
  readNumber,
  readObject,
  readString,
} from '../core/protocol/read.ts';
import type { Held } from '../core/state/reduce.ts';
import type { SnapshotFacts } from './contract.ts';

/** All flags as one JSON string: one record per flag is 6 to 60 times slower to read. */
export interface SnapshotRecord {
  readonly epoch: string;
  readonly revision: number;
  readonly filterKey: string;
  readonly savedAtMs: number;
  readonly flagsJson: string;
  /** CRC-32 of all of the above. */
  readonly hash: number;
}

/** The changes of one commit, and the one state they lead on from: that, and not its key, is its place in the log. */
export interface LogRecord {
  readonly epoch: string;
  readonly afterRevision: number;
  readonly filterKey: string;
  readonly changesJson: string;
  /** CRC-32 of all of the above. */
  readonly hash: number;
}

/** What stands where, so that a write need not read the snapshots. It can be rebuilt from the keys. */
export interface Head {
  /** The state that is stored. */
  readonly epoch: string;
  readonly revision: number;
  readonly filterKey: string;
  /** When a server last confirmed it. */
  readonly confirmedAtMs: number;
  /** The key of the newest snapshot; the one before it is the spare. */
  readonly newestKey: number;
  /** Units of text in the newest snapshot and in the log behind it: when the second outgrows the first, the log is folded. */
  readonly snapshotLength: number;
  readonly logLength: number;
  /** The first log key behind the newest snapshot, and the next one free. */
  readonly logFrom: number;
  readonly nextLogKey: number;
}

/** Who may write. */
export interface TermRecord {
  /** The leadership term that runs; +1 for each hub that begins to lead. 0 before the first. */
  readonly number: number;
  /** How often the database was cleared: whoever leads then must not build on what it wrote before. */
  readonly wipes: number;
}

/** A snapshot that was read back, with what `Held` does not say. */
export interface ReadSnapshot {
  readonly held: Held;
  readonly filterKey: string;
  readonly savedAtMs: number;
}

export function encodeSnapshotRecord(held: Held, { filterKey, nowMs }: SnapshotFacts): SnapshotRecord {
  const { epoch, revision } = held;
  const flagsJson = JSON.stringify([...held.flags.values()]);
  const hash = hashOf(flagsJson, [epoch, revision, filterKey, nowMs]);
  return { epoch, revision, filterKey, savedAtMs: nowMs, flagsJson, hash };
}

/** `undefined` when the record is damaged. */
export function decodeSnapshotRecord(record: unknown): ReadSnapshot | undefined {
  return unlessDamaged(() => {
    const json = readObject(record, 'snapshot');
    const epoch = readString(json.epoch, 'snapshot.epoch');
    const revision = readCount(json.revision, 'snapshot.revision');
    const filterKey = readString(json.filterKey, 'snapshot.filterKey');
    const savedAtMs = json.savedAtMs as number;
    const flagsJson = readString(json.flagsJson, 'snapshot.flagsJson');
    if (json.hash !== hashOf(flagsJson, [epoch, revision, filterKey, savedAtMs])) return undefined;
    const flags = readList(readJson(flagsJson, 'flags', Number.MAX_SAFE_INTEGER), 'flags', readFlag);
    const byKey = new Map(flags.map((flag) => [flag.key, flag]));
    return { held: { epoch, revision, flags: byKey, isFiltered: filterKey !== '' }, filterKey, savedAtMs };
  });
}

export function encodeLogRecord(
  changes: readonly Change[],
  { epoch, revision, filterKey }: Pick<Head, 'epoch' | 'revision' | 'filterKey'>,
): LogRecord {
  const changesJson = encodeChanges(changes);
  const hash = hashOf(changesJson, [epoch, revision, filterKey]);
  return { epoch, afterRevision: revision, filterKey, changesJson, hash };
}

/** The changes, when the record is intact and belongs to the history of this epoch and filter from this revision on. */
export function decodeLogRecord(
  record: unknown,
  { held, filterKey }: ReadSnapshot,
): { readonly afterRevision: number; readonly changes: readonly Change[] } | undefined {
  return unlessDamaged(() => {
    const json = readObject(record, 'log');
    const { epoch, afterRevision } = json;
    if (epoch !== held.epoch || json.filterKey !== filterKey) return undefined;
    if (typeof afterRevision !== 'number' || afterRevision < held.revision) return undefined;
    const changesJson = readString(json.changesJson, 'log.changesJson');
    if (json.hash !== hashOf(changesJson, [epoch, afterRevision, filterKey])) return undefined;
    const changes = decodeChanges(changesJson, held.epoch);
    return changes.ok ? { afterRevision, changes: changes.value } : undefined;
  });
}

/** `undefined` when it is missing, damaged, or of another shape. */
export function decodeHead(record: unknown): Head | undefined {
  return unlessDamaged(() => {
    const json = readObject(record, 'head');
    const count = (name: keyof Head): number => readCount(json[name], `head.${name}`);
    return {
      epoch: readString(json.epoch, 'head.epoch'),
      revision: count('revision'),
      filterKey: readString(json.filterKey, 'head.filterKey'),
      confirmedAtMs: readNumber(json.confirmedAtMs, 'head.confirmedAtMs'),
      newestKey: count('newestKey'),
      snapshotLength: count('snapshotLength'),
      logLength: count('logLength'),
      logFrom: count('logFrom'),
      nextLogKey: count('nextLogKey'),
    };
  });
}

/** `undefined` when it is missing, damaged, or of another shape. */
export function decodeTerm(record: unknown): TermRecord | undefined {
  return unlessDamaged(() => {
    const json = readObject(record, 'term');
    return { number: readCount(json.number, 'term.number'), wipes: readCount(json.wipes, 'term.wipes') };
  });
}

function unlessDamaged<T>(decode: () => T): T | undefined {
  const decoded = attempt(decode);
  return decoded.ok ? decoded.value : undefined;
}

/** The text is hashed by itself: a copy of it with the facts in front would cost as much as the hash. */
function hashOf(text: string, facts: readonly unknown[]): number {
  return crc32(JSON.stringify([...facts, crc32(text)]));
}
