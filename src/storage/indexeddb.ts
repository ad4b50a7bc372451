/** The persistent store: one snapshot as text in alternating slots, and a log of what came after. Every write is one relaxed transaction. */
import type { IDBPDatabase, IDBPTransaction } from 'idb';
import { crc32 } from '../core/evaluate/rollout.ts';
import { encodeChanges } from '../core/protocol/messages.ts';
import type { Held } from '../core/state/reduce.ts';
import type { FlagStore, SnapshotFacts, Written } from './contract.ts';
import { type FlagDatabase, type Head, openDatabase, type Slot } from './database.ts';
import { refuseOldTerm } from './fencing.ts';
import { readStored } from './read-stored.ts';

type WriteTransaction = IDBPTransaction<
  FlagDatabase,
  ('snapshot' | 'log' | 'meta' | 'outbox')[],
  'readwrite'
>;

/** A log shorter than this is never folded: rewriting a small snapshot is cheap, but not for each change. */
const SMALLEST_FOLD_LENGTH = 65_536;

const EMPTY_HEAD: Head = { newest: 'b', snapshotLength: 0, logLength: 0, logFrom: 0, nextLogKey: 0 };

/** Rejects when the database cannot be opened. `onLost` fires when the browser takes the connection away. */
export async function openIndexedDbStore(scope: string, onLost: () => void): Promise<FlagStore> {
  const db = await openDatabase(scope, onLost);
  return {
    kind: 'persistent',
    load: () => readStored(db),
    lead: () =>
      inTransaction(db, async (tx) => {
        const meta = tx.objectStore('meta');
        const term = (await readTerm(tx)) + 1;
        await meta.put(term, 'term');
        return term;
      }),
    saveSnapshot: (held, facts) => inTransaction(db, (tx) => writeSnapshot(tx, held, facts)),
    appendChanges: (changes, held, facts) => {
      const changesJson = encodeChanges(changes);
      return inTransaction(db, async (tx) => {
        const head = await enter(tx, facts.term);
        const logLength = head.logLength + changesJson.length;
        if (logLength > Math.max(SMALLEST_FOLD_LENGTH, head.snapshotLength)) {
          return writeSnapshot(tx, held, facts);
        }
        const record = { epoch: held.epoch, changesJson, hash: crc32(changesJson) };
        await Promise.all([
          tx.objectStore('log').put(record, head.nextLogKey),
          tx.objectStore('meta').put({ ...head, logLength, nextLogKey: head.nextLogKey + 1 }, 'head'),
          tx.objectStore('meta').put(facts.nowMs, 'confirmedAtMs'),
        ]);
        return { length: changesJson.length };
      });
    },
    confirm: ({ term, nowMs }) =>
      inTransaction(db, async (tx) => {
        refuseOldTerm(term, await readTerm(tx));
        await tx.objectStore('meta').put(nowMs, 'confirmedAtMs');
      }),
    clear: () =>
      inTransaction(db, async (tx) => {
        await Promise.all([
          tx.objectStore('snapshot').clear(),
          tx.objectStore('log').clear(),
          tx.objectStore('outbox').clear(),
          tx.objectStore('meta').delete('head'),
          tx.objectStore('meta').delete('confirmedAtMs'),
        ]);
      }),
    close: () => db.close(),
  };
}

/** Nothing but requests of this transaction may be awaited inside, or the browser commits it early. */
async function inTransaction<T>(
  db: IDBPDatabase<FlagDatabase>,
  work: (tx: WriteTransaction) => Promise<T>,
): Promise<T> {
  const tx = db.transaction(['snapshot', 'log', 'meta', 'outbox'], 'readwrite', { durability: 'relaxed' });
  try {
    const value = await work(tx);
    tx.commit();
    await tx.done;
    return value;
  } catch (error) {
    abortQuietly(tx);
    await tx.done.catch(() => {});
    throw error;
  }
}

function abortQuietly(tx: WriteTransaction): void {
  try {
    tx.abort();
  } catch {
    // It has aborted by itself, which is why we are here.
  }
}

async function readTerm(tx: WriteTransaction): Promise<number> {
  const term = await tx.objectStore('meta').get('term');
  return typeof term === 'number' ? term : 0;
}

/** The head, for a writer whose term is not over. Both reads are issued before the first await. */
async function enter(tx: WriteTransaction, term: number): Promise<Head> {
  const reading = tx.objectStore('meta').get('head');
  refuseOldTerm(term, await readTerm(tx));
  const head = await reading;
  return typeof head === 'object' ? head : EMPTY_HEAD;
}

async function writeSnapshot(tx: WriteTransaction, held: Held, facts: SnapshotFacts): Promise<Written> {
  const head = await enter(tx, facts.term);
  const flagsJson = JSON.stringify([...held.flags.values()]);
  const newest: Slot = head.newest === 'a' ? 'b' : 'a';
  const record = {
    epoch: held.epoch,
    revision: held.revision,
    flagsJson,
    hash: crc32(flagsJson),
    filterKey: facts.filterKey,
    savedAtMs: facts.nowMs,
  };
  const nextHead: Head = {
    newest,
    snapshotLength: flagsJson.length,
    logLength: 0,
    logFrom: head.nextLogKey,
    nextLogKey: head.nextLogKey,
  };
  await Promise.all([
    tx.objectStore('snapshot').put(record, newest),
    // The log behind the snapshot before this one stays: it leads from there to here, should this one be damaged.
    tx.objectStore('log').delete(IDBKeyRange.upperBound(head.logFrom, true)),
    tx.objectStore('meta').put(nextHead, 'head'),
    tx.objectStore('meta').put(facts.nowMs, 'confirmedAtMs'),
  ]);
  return { length: flagsJson.length };
}
