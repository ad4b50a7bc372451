/** Opens the database file, or says why it cannot be ours. Nothing is written before the file is known to be ours or empty. */
import { DatabaseSync } from 'node:sqlite';
import { FlagError } from '../../core/errors.ts';

/** "FLGO", in the file's header: tells our files from other SQLite files. */
const APPLICATION_ID = 0x464c474f;
/** Version of the tables below. */
const FORMAT = 1;

const TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE flag (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, archived INTEGER NOT NULL, record TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX live_flag_key ON flag (key) WHERE archived = 0;
  CREATE TABLE change (revision INTEGER PRIMARY KEY, change TEXT NOT NULL, previous_tags TEXT) STRICT;
`;

export function openSqliteFile(file: string, waitMs: number): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: waitMs });
    const isNew = isEmptyFile(database, file);
    // One process owns the file: two would each miss the other's edits. The lock ends with the process, however it ends.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('PRAGMA journal_mode = WAL');
    // FULL: an edit that was streamed must survive a power cut, or its revision would be given to another edit.
    database.exec('PRAGMA synchronous = FULL');
    if (isNew) {
      database.exec(
        `BEGIN; ${TABLES} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}; COMMIT`,
      );
    } else {
      checkWhole(database, file);
    }
    return database;
  } catch (error) {
    database?.close();
    throw explain(error, file);
  }
}

function isEmptyFile(database: DatabaseSync, file: string): boolean {
  const applicationID = pragma(database, 'application_id');
  const format = pragma(database, 'user_version');
  if (applicationID === APPLICATION_ID && format === FORMAT) return false;
  if (applicationID === APPLICATION_ID) {
    throw environment(
      `The database ${file} has format ${format}; this version of flagent-offline reads format ${FORMAT}. Use the version that wrote it, or another file.`,
    );
  }
  const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n;
  if (applicationID === 0 && format === 0 && tables === 0) return true;
  throw foreign(file);
}

function pragma(database: DatabaseSync, name: string): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name];
}

function checkWhole(database: DatabaseSync, file: string): void {
  const verdict = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (verdict !== 'ok') throw damaged(file, verdict);
}

/** Primary result codes of SQLite: https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

function explain(error: unknown, file: string): unknown {
  if (error instanceof FlagError || !(error instanceof Error)) return error;
  const errcode = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : -1;
  switch (errcode & 0xff) {
    case SQLITE_BUSY:
      return environment(
        `The database ${file} is in use by another process. Stop that server, or choose another file.`,
        error,
      );
    case SQLITE_NOTADB:
      return foreign(file, error);
    case SQLITE_CORRUPT:
      return damaged(file, error.message, error);
    case SQLITE_CANTOPEN:
      return environment(
        `The database ${file} cannot be opened. Its folder must exist and be writable, and it must be a file.`,
        error,
      );
    case SQLITE_READONLY:
      return environment(
        `The database ${file} is read-only. Make it writable, or choose another file.`,
        error,
      );
    default:
      return environment(`The database ${file} cannot be used: ${error.message}.`, error);
  }
}

function foreign(file: string, cause?: unknown): FlagError {
  return environment(
    `${file} is not a flagent-offline database, and is left as it is. Choose another file.`,
    cause,
  );
}

export function damaged(file: string, detail: unknown, cause?: unknown): FlagError {
  return environment(
    `The database ${file} is damaged (${detail}). Restore it from a backup, or choose another file and load an export.`,
    cause,
  );
}

function environment(message: string, cause?: unknown): FlagError {
  return new FlagError('environment', message, cause === undefined ? {} : { cause });
}
