/** What each kind of write puts into its transaction, and the head that it leads to. All requests are issued before it returns. */
import type { Change } from '../core/model.ts';
import type { Held } from '../core/state/reduce.ts';
import type { SnapshotFacts, Written } from './contract.ts';
import { encodeLogRecord, encodeSnapshotRecord, type Head, type LogRecord } from './records.ts';
import { issue, type WriteTransaction } from './transaction.ts';

/** A log shorter than this is never folded: rewriting a small snapshot is cheap, but not for each change. */
const SMALLEST_FOLD_LENGTH = 65_536;

const EMPTY_HEAD: Head = {
  epoch: '',
  revision: 0,
  filterKey: '',
  confirmedAtMs: 0,
  newestKey: 0,
  snapshotLength: 0,
  logLength: 0,
  logFrom: 0,
  nextLogKey: 0,
};

/** What a write starts from. `isOurs`: this store wrote it, in the same term. */
export interface Start {
  readonly head: Head;
  readonly isOurs: boolean;
}

/** Issues its requests before it returns, and gives the head that they lead to. */
export type Write<T> = (tx: WriteTransaction, start: Start) => { readonly head: Head; readonly value: T };

/** The next write goes behind everything there is, and writes everything, since nothing is known of it. */
export async function rebuildHead(tx: WriteTransaction): Promise<Head> {
  const [snapshotKeys, logKeys] = await Promise.all([
    tx.objectStore('snapshot').getAllKeys(),
    tx.objectStore('log').getAllKeys(),
  ]);
  return { ...EMPTY_HEAD, newestKey: highest(snapshotKeys, 0), nextLogKey: highest(logKeys, -1) + 1 };
}

/** Keys come in order, and those of any other type behind the numbers. */
function highest(keys: readonly unknown[], none: number): number {
  return keys.findLast((key) => typeof key === 'number') ?? none;
}

export function dropBefore(tx: WriteTransaction, { newestKey, logFrom }: Head): void {
  issue(tx.objectStore('snapshot').delete(IDBKeyRange.upperBound(newestKey, true)));
  issue(tx.objectStore('log').delete(IDBKeyRange.upperBound(logFrom, true)));
}

function putSnapshot(
  tx: WriteTransaction,
  before: Head,
  held: Held,
  facts: SnapshotFacts,
): ReturnType<Write<Written>> {
  const { epoch, revision } = held;
  const record = encodeSnapshotRecord(held, facts);
  const newestKey = before.newestKey + 1;
  issue(tx.objectStore('snapshot').put(record, newestKey));
  // The snapshot before this one stays with the log behind it: it leads from there to here, should this one be damaged.
  dropBefore(tx, before);
  const snapshotLength = record.flagsJson.length;
  const head: Head = {
    epoch,
    revision,
    filterKey: facts.filterKey,
    confirmedAtMs: facts.nowMs,
    newestKey,
    snapshotLength,
    logLength: 0,
    logFrom: before.nextLogKey,
    nextLogKey: before.nextLogKey,
  };
  return { head, value: { length: snapshotLength } };
}

export function saving(held: Held, facts: SnapshotFacts): Write<Written> {
  return (tx, { head }) => putSnapshot(tx, head, held, facts);
}

export function confirming(nowMs: number): Write<void> {
  return (_tx, { head }) => ({ head: { ...head, confirmedAtMs: nowMs }, value: undefined });
}

export function appending(changes: readonly Change[], held: Held, facts: SnapshotFacts): Write<Written> {
  return (tx, start) => {
    if (!isFollowing(start, changes, held, facts)) return putSnapshot(tx, start.head, held, facts);
    const record = encodeLogRecord(changes, start.head);
    const appended = putLog(tx, start.head, record, { revision: held.revision, confirmedAtMs: facts.nowMs });
    if (!isFoldDue(appended)) return { head: appended, value: { length: record.changesJson.length } };
    return putSnapshot(tx, appended, held, facts);
  };
}

function putLog(
  tx: WriteTransaction,
  head: Head,
  record: LogRecord,
  now: Pick<Head, 'revision' | 'confirmedAtMs'>,
): Head {
  issue(tx.objectStore('log').put(record, head.nextLogKey));
  const logLength = head.logLength + record.changesJson.length;
  return { ...head, ...now, logLength, nextLogKey: head.nextLogKey + 1 };
}

/**
 * Whether the changes lead from what is stored to `held`. A hub may hold more than is stored: it followed another one, or a write failed.
 * Under a filter a jump in revisions says nothing, so there only what this store wrote itself can be followed.
 */
function isFollowing(
  { head, isOurs }: Start,
  changes: readonly Change[],
  { epoch, revision, isFiltered }: Held,
  { filterKey }: SnapshotFacts,
): boolean {
  if (head.snapshotLength === 0 || head.epoch !== epoch || head.filterKey !== filterKey) return false;
  if (changes.at(-1)?.revision !== revision) return false;
  return isFiltered ? isOurs : changes[0]?.revision === head.revision + 1;
}

function isFoldDue({ logLength, snapshotLength }: Head): boolean {
  return logLength > Math.max(SMALLEST_FOLD_LENGTH, snapshotLength);
}
