/** One write to the database: everything in it, or nothing. */
import type { IDBPDatabase, IDBPTransaction } from 'idb';
import type { FlagDatabase } from './database.ts';

type StoreName = 'snapshot' | 'log' | 'meta' | 'outbox';
export type WriteTransaction = IDBPTransaction<FlagDatabase, StoreName[], 'readwrite'>;

/** Settles when it is committed. `work` may await nothing but requests of this transaction, or the browser commits it early. */
export async function inTransaction<T>(
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
    // The requests of a transaction that fails only say that it was aborted; why is said by the transaction.
    throw tx.error ?? error;
  }
}

/** Not awaited by itself: a request that fails also fails its transaction, and the end of that is awaited. */
export function issue(request: Promise<unknown>): void {
  request.catch(() => {});
}

function abortQuietly(tx: WriteTransaction): void {
  try {
    tx.abort();
  } catch {
    // It has aborted by itself, which is why we are here.
  }
}

/** The disk, or this site's part of it, is full. */
export function isQuotaError(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'QuotaExceededError';
}
