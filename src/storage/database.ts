/** The one database per scope, and how it is opened. The format's version is in the name: it is never upgraded in place. */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { FlagError } from '../core/errors.ts';
import type { Head, LogRecord, SnapshotRecord, TermRecord } from './records.ts';

export interface FlagDatabase extends DBSchema {
  /** The newest under the highest key, and the one before it. */
  snapshot: { key: number; value: SnapshotRecord };
  log: { key: number; value: LogRecord };
  meta: { key: 'term' | 'head'; value: TermRecord | Head };
  outbox: { key: number; value: unknown };
}

/** `scope` names server and namespace; see `core/state/scope`. */
export function databaseName(scope: string): string {
  return `flagent:${scope}:v1`;
}

/**
 * `onLost` fires when the browser closes the connection: data cleared, storage server gone, or another page wants to delete it.
 * Rejects with `storage` where this browser lets nothing be stored, or a database of that name is not ours.
 */
export async function openDatabase(scope: string, onLost: () => void): Promise<IDBPDatabase<FlagDatabase>> {
  const database = await startOpening(scope, onLost);
  const missing = ['snapshot', 'log', 'meta', 'outbox'].filter(
    (name) => !database.objectStoreNames.contains(name as 'meta'),
  );
  if (missing.length > 0) {
    database.close();
    throw new FlagError(
      'storage',
      `The database ${databaseName(scope)} was not made by flagent-offline (it lacks ${missing.join(', ')}). Delete it, or choose another namespace.`,
    );
  }
  return database;
}

/** Throws at once where storage is missing or blocked: some browsers have no `indexedDB`, some throw when it is read, some when it opens. */
function startOpening(scope: string, onLost: () => void): Promise<IDBPDatabase<FlagDatabase>> {
  try {
    return openDB<FlagDatabase>(databaseName(scope), 1, {
      upgrade: (db) => {
        db.createObjectStore('snapshot');
        db.createObjectStore('log');
        db.createObjectStore('meta');
        db.createObjectStore('outbox', { autoIncrement: true });
      },
      blocking: (_current, _blocked, event) => {
        (event.target as IDBDatabase).close();
        onLost();
      },
      terminated: onLost,
    });
  } catch (cause) {
    throw new FlagError('storage', `This browser lets nothing be stored here: ${String(cause)}.`, { cause });
  }
}
