/**
 * The persistent store: the newest snapshot as text, the one before it, and a log of what came after. Every write is one relaxed
 * transaction whose requests are all issued at once: each round trip to the browser's storage process would delay the tabs.
 */
import type { IDBPDatabase } from 'idb';
import type { FlagStore, WriteFacts } from './contract.ts';
import { type FlagDatabase, openDatabase } from './database.ts';
import { refuseOtherTerm } from './fencing.ts';
import { readStored } from './read-stored.ts';
import { decodeHead, decodeTerm, type Head, type TermRecord } from './records.ts';
import { inTransaction, isQuotaError, issue } from './transaction.ts';
import { appending, confirming, dropBefore, rebuildHead, saving, type Write } from './write-flags.ts';

interface Known {
  readonly term: TermRecord;
  readonly head: Head;
}

interface Outcome<T> extends Known {
  readonly value: T;
}

const NO_TERM: TermRecord = { number: 0, wipes: 0 };

/** Rejects when the database cannot be opened. `onLost` fires when the browser takes the connection away. */
export async function openIndexedDbStore(scope: string, onLost: () => void): Promise<FlagStore> {
  const db = await openDatabase(scope, onLost);
  /** What this store has written last. Nobody else writes in the same term, so it need not be read before the next write. */
  let known: Known | undefined;
  /** The next change brings everything, so that what is damaged is replaced. */
  let isDamaged = false;
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other: each write builds on the head that the one before has left. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };

  /** Without waiting for an answer: the requests build on what this store wrote before. */
  const writeOn = async <T>({ term, head }: Known, change: Write<T>): Promise<Outcome<T>> =>
    inTransaction(db, ['snapshot', 'log', 'meta'], async (tx) => {
      const meta = tx.objectStore('meta');
      const reading = meta.get('term');
      issue(reading);
      const next = change(tx, { head, isOurs: true });
      issue(meta.put(next.head, 'head'));
      // The first request, so the first answer: a write that is refused is taken back before it is committed.
      const stored = decodeTerm(await reading);
      refuseOtherTerm(term.number, stored?.number);
      if (stored?.wipes !== term.wipes) throw new WipedByAnother();
      return { ...next, term };
    });

  const readAndWrite = async <T>(number: number, change: Write<T>): Promise<Outcome<T>> =>
    inTransaction(db, ['snapshot', 'log', 'meta'], async (tx) => {
      const meta = tx.objectStore('meta');
      const [storedTerm, storedHead] = await Promise.all([meta.get('term'), meta.get('head')]);
      const stored = decodeTerm(storedTerm);
      refuseOtherTerm(number, stored?.number);
      const term = stored ?? { number, wipes: 0 };
      if (stored === undefined) issue(meta.put(term, 'term'));
      const found = decodeHead(storedHead) ?? (await rebuildHead(tx));
      const head = isDamaged ? { ...found, snapshotLength: 0 } : found;
      const next = change(tx, { head, isOurs: false });
      issue(meta.put(next.head, 'head'));
      return { ...next, term };
    });

  const writeOnce = async <T>(number: number, change: Write<T>): Promise<T> => {
    const ours = known?.term.number === number ? known : undefined;
    // Until it is committed nobody knows what is stored.
    known = undefined;
    const { term, head, value } = await (ours === undefined
      ? readAndWrite(number, change)
      : writeOn(ours, change));
    known = { term, head };
    isDamaged &&= head.snapshotLength === 0;
    return value;
  };

  const write = <T>({ term }: WriteFacts, change: Write<T>): Promise<T> =>
    inTurn(async () => {
      try {
        return await writeOnce(term, change);
      } catch (error) {
        if (isQuotaError(error)) await dropSpare(db);
        else if (!(error instanceof WipedByAnother)) throw error;
        return writeOnce(term, change);
      }
    });

  return {
    kind: 'persistent',
    load: async () => {
      const reading = await readStored(db);
      if (reading.isDamaged) {
        isDamaged = true;
        known = undefined;
      }
      return reading.flags;
    },
    lead: (above = 0) =>
      inTurn(() =>
        inTransaction(db, ['meta'], async (tx) => {
          const meta = tx.objectStore('meta');
          const { number, wipes } = decodeTerm(await meta.get('term')) ?? NO_TERM;
          const term = Math.max(number, above) + 1;
          issue(meta.put({ number: term, wipes }, 'term'));
          return term;
        }),
      ),
    saveSnapshot: (held, facts) => write(facts, saving(held, facts)),
    appendChanges: (changes, held, facts) => write(facts, appending(changes, held, facts)),
    confirm: (facts) => write(facts, confirming(facts.nowMs)),
    clear: (asLeader) =>
      inTurn(async () => {
        known = undefined;
        await inTransaction(db, ['snapshot', 'log', 'meta', 'outbox'], async (tx) => {
          const meta = tx.objectStore('meta');
          const reading = meta.get('term');
          for (const store of ['snapshot', 'log', 'outbox'] as const) issue(tx.objectStore(store).clear());
          issue(meta.delete('head'));
          // The term stays: a hub from before must not write what was wiped. The hub whose term it is learns of the wipe from it.
          const stored = decodeTerm(await reading);
          if (asLeader !== undefined) refuseOtherTerm(asLeader.term, stored?.number);
          if (stored !== undefined) issue(meta.put({ ...stored, wipes: stored.wipes + 1 }, 'term'));
        });
      }),
    close: () => db.close(),
  };
}

/** Another hub has cleared the database since this store wrote last. */
class WipedByAnother extends Error {}

/** The snapshot before the newest and the log behind it are only there in case of damage. What was shown as stored stays. */
async function dropSpare(db: IDBPDatabase<FlagDatabase>): Promise<void> {
  await inTransaction(db, ['snapshot', 'log', 'meta'], async (tx) => {
    const head = decodeHead(await tx.objectStore('meta').get('head')) ?? (await rebuildHead(tx));
    dropBefore(tx, head);
  });
}
