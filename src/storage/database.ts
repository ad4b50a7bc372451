/** The shape of the one database per scope, and how it is opened. The format's version is in the name: it is never upgraded in place. */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { FlagError } from '../core/errors.ts';

export type Slot = 'a' | 'b';

/** All flags as one JSON string: one record per flag is 6 to 60 times slower to read. */
export interface SnapshotRecord {
  readonly epoch: string;
  readonly revision: number;
  readonly flagsJson: string;
  /** CRC-32 of `flagsJson`. */
  readonly hash: number;
  readonly filterKey: string;
  readonly savedAtMs: number;
}

/** The changes of one commit, as JSON text. */
export interface LogRecord {
  readonly epoch: string;
  readonly changesJson: string;
  readonly hash: number;
}

/** Where things are, so that a write need not read the snapshots. */
export interface Head {
  readonly newest: Slot;
  /** Units of text in the newest snapshot and in the log behind it: when the second outgrows the first, the log is folded. */
  readonly snapshotLength: number;
  readonly logLength: number;
  /** The first log key that belongs to the newest snapshot, and the next one free. */
  readonly logFrom: number;
  readonly nextLogKey: number;
  /** When a server last confirmed what is stored. */
  readonly confirmedAtMs: number;
}

export interface FlagDatabase extends DBSchema {
  snapshot: { key: Slot; value: SnapshotRecord };
  log: { key: number; value: LogRecord };
  meta: { key: 'term' | 'head'; value: number | Head };
  outbox: { key: number; value: unknown };
}

/** `scope` names server and namespace; see `hub/scope`. */
export function databaseName(scope: string): string {
  return `flagent:${scope}:v1`;
}

/** `onLost` fires when the browser closes the connection: data cleared, storage server gone, or a newer page wants it. */
export async function openDatabase(scope: string, onLost: () => void): Promise<IDBPDatabase<FlagDatabase>> {
  const database = await openDB<FlagDatabase>(databaseName(scope), 1, {
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
  const missing = ['snapshot', 'log', 'meta'].filter(
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
