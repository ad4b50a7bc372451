/**
 * The persistent store: one snapshot as text in alternating slots, and a log of what came after. Every write is one relaxed transaction
 * whose requests are all issued at once: each round trip to the browser's storage process would delay the tabs.
 */
import type { IDBPDatabase, IDBPTransaction } from 'idb';
import { crc32 } from '../core/evaluate/rollout.ts';
import { encodeChanges } from '../core/protocol/messages.ts';
import type { Held } from '../core/state/reduce.ts';
import type { FlagStore, SnapshotFacts, WriteFacts, Written } from './contract.ts';
import { type FlagDatabase, type Head, openDatabase, type Slot } from './database.ts';
import { refuseOldTerm } from './fencing.ts';
import { readStored } from './read-stored.ts';

type StoreName = 'snapshot' | 'log' | 'meta' | 'outbox';
type WriteTransaction = IDBPTransaction<FlagDatabase, StoreName[], 'readwrite'>;

/** A log shorter than this is never folded: rewriting a small snapshot is cheap, but not for each change. */
const SMALLEST_FOLD_LENGTH = 65_536;

const EMPTY_HEAD: Head = {
  newest: 'b',
  snapshotLength: 0,
  logLength: 0,
  logFrom: 0,
  nextLogKey: 0,
  confirmedAtMs: 0,
};

/** Rejects when the database cannot be opened. `onLost` fires when the browser takes the connection away. */
export async function openIndexedDbStore(scope: string, onLost: () => void): Promise<FlagStore> {
  const db = await openDatabase(scope, onLost);
  /** What this store has written last. Nobody else writes in the same term, so it need not be read again. */
  let known: { readonly term: number; readonly head: Head } | undefined;

  /** `change` issues its requests before it returns, and gives the head that they lead to. */
  const write = async <T>(
    stores: StoreName[],
    { term }: WriteFacts,
    change: (tx: WriteTransaction, head: Head) => readonly [Head, T],
  ): Promise<T> => {
    const [head, value] = await inTransaction(db, stores, async (tx) => {
      const meta = tx.objectStore('meta');
      const readingTerm = meta.get('term');
      const start = known?.term === term ? known.head : await readHead(tx);
      const [next, result] = change(tx, start);
      issue(meta.put(next, 'head'));
      // The first request, so its answer is the first: a write that is refused is taken back before it is committed.
      refuseOldTerm(term, termOf(await readingTerm));
      return [next, result] as const;
    });
    known = { term, head };
    return value;
  };

  return {
    kind: 'persistent',
    load: () => readStored(db),
    lead: () =>
      inTransaction(db, ['meta'], async (tx) => {
        const term = termOf(await tx.objectStore('meta').get('term')) + 1;
        issue(tx.objectStore('meta').put(term, 'term'));
        return term;
      }),
    saveSnapshot: (held, facts) =>
      write(['snapshot', 'log', 'meta'], facts, (tx, head) => putSnapshot(tx, head, held, facts)),
    appendChanges: (changes, held, facts) => {
      const changesJson = encodeChanges(changes);
      const isTooLong = known !== undefined && isFoldDue(known.head, changesJson.length);
      const stores: StoreName[] =
        known === undefined || isTooLong ? ['snapshot', 'log', 'meta'] : ['log', 'meta'];
      return write(stores, facts, (tx, head) => {
        if (isFoldDue(head, changesJson.length)) return putSnapshot(tx, head, held, facts);
        const record = { epoch: held.epoch, changesJson, hash: crc32(changesJson) };
        issue(tx.objectStore('log').put(record, head.nextLogKey));
        const logLength = head.logLength + changesJson.length;
        const next = { ...head, logLength, nextLogKey: head.nextLogKey + 1, confirmedAtMs: facts.nowMs };
        return [next, { length: changesJson.length }];
      });
    },
    confirm: (facts) =>
      write(['meta'], facts, (_tx, head) => [{ ...head, confirmedAtMs: facts.nowMs }, undefined]),
    clear: async () => {
      known = undefined;
      await inTransaction(db, ['snapshot', 'log', 'meta', 'outbox'], async (tx) => {
        issue(tx.objectStore('snapshot').clear());
        issue(tx.objectStore('log').clear());
        issue(tx.objectStore('outbox').clear());
        // The term stays: a hub from before must not write what was wiped.
        issue(tx.objectStore('meta').delete('head'));
      });
    },
    close: () => db.close(),
  };
}

/** Nothing but requests of this transaction may be awaited inside, or the browser commits it early. */
async function inTransaction<T>(
  db: IDBPDatabase<FlagDatabase>,
  stores: StoreName[],
  work: (tx: WriteTransaction) => Promise<T>,
): Promise<T> {
  const tx = db.transaction(stores, 'readwrite', { durability: 'relaxed' });
  issue(tx.done);
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

/** Not awaited by itself: a request that fails also fails its transaction, and the end of that is awaited. */
function issue(request: Promise<unknown>): void {
  request.catch(() => {});
}

function abortQuietly(tx: WriteTransaction): void {
  try {
    tx.abort();
  } catch {
    // It has aborted by itself, which is why we are here.
  }
}

function termOf(stored: number | Head | undefined): number {
  return typeof stored === 'number' ? stored : 0;
}

async function readHead(tx: WriteTransaction): Promise<Head> {
  const head = await tx.objectStore('meta').get('head');
  return typeof head === 'object' ? head : EMPTY_HEAD;
}

/** Also when there is no snapshot, since the database may have been deleted under us: a log alone is worth nothing. */
function isFoldDue({ logLength, snapshotLength }: Head, moreLength: number): boolean {
  return snapshotLength === 0 || logLength + moreLength > Math.max(SMALLEST_FOLD_LENGTH, snapshotLength);
}

function putSnapshot(
  tx: WriteTransaction,
  head: Head,
  held: Held,
  facts: SnapshotFacts,
): readonly [Head, Written] {
  const { epoch, revision } = held;
  const flagsJson = JSON.stringify([...held.flags.values()]);
  const newest: Slot = head.newest === 'a' ? 'b' : 'a';
  const { filterKey, nowMs } = facts;
  const record = { epoch, revision, flagsJson, hash: crc32(flagsJson), filterKey, savedAtMs: nowMs };
  issue(tx.objectStore('snapshot').put(record, newest));
  // The log behind the snapshot before this one stays: it leads from there to here, should this one be damaged.
  issue(tx.objectStore('log').delete(IDBKeyRange.upperBound(head.logFrom, true)));
  const next: Head = {
    newest,
    snapshotLength: flagsJson.length,
    logLength: 0,
    logFrom: head.nextLogKey,
    nextLogKey: head.nextLogKey,
    confirmedAtMs: nowMs,
  };
  return [next, { length: flagsJson.length }];
}
