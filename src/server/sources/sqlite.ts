/** Flags in one SQLite file: each flag a row, each change a row, one transaction per edit. One process at a time. */
import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { FlagError } from '../../core/errors.ts';
import type { EventId } from '../../core/model.ts';
import { encodeChange } from '../../core/protocol/messages.ts';
import { type FlagRecord, ID_KINDS, type LastIDs } from '../record.ts';
import { coverIDs, createCatalogue } from './catalogue.ts';
import { type Commit, commitOf } from './commit.ts';
import type { Catalogue, FlagSource, Plan, RecordedChange } from './contract.ts';
import { damaged, openSqliteFile } from './sqlite-file.ts';
import { readIDs, readRecord, readRecordedChange, readRevision } from './stored.ts';

export interface SqliteSourceOptions {
  /** A file name, or `:memory:`. */
  readonly file: string;
  /** The newest changes kept for resuming clients. Default 10 000. */
  readonly keptChanges?: number;
  /** How long to wait for another process to let go of the file, milliseconds. Default 2 000. */
  readonly waitMs?: number;
  readonly nowMs?: () => number;
  /** Hears what a listener throws; the other listeners are not affected. Default: a process warning. */
  readonly report?: (error: unknown) => void;
}

/** Throws `environment` when the file is foreign, damaged, in use or cannot be opened. */
export function openSqliteSource({
  file,
  keptChanges = 10_000,
  waitMs = 2_000,
  nowMs = Date.now,
  report = (error) => process.emitWarning(error instanceof Error ? error : String(error)),
}: SqliteSourceOptions): FlagSource {
  const database = openSqliteFile(file, waitMs);
  const { epoch, ...loaded } = load(database, file);
  const write = prepareWrites(database, keptChanges);
  const changesAfter = database.prepare(
    'SELECT change, previous_tags FROM change WHERE revision > ? ORDER BY revision',
  );
  const oldestChange = database.prepare('SELECT min(revision) AS revision FROM change');
  const catalogue = createCatalogue(loaded.records, loaded.lastIDs);
  const listeners = new Set<(commit: readonly RecordedChange[]) => void>();
  let revision = loaded.revision;
  let isClosed = false;

  function reachesBackTo(after: EventId): boolean {
    if (after.epoch !== epoch || after.revision > revision) return false;
    const oldest = oldestChange.get()?.revision;
    return after.revision === revision || (typeof oldest === 'number' && after.revision >= oldest - 1);
  }

  function notify(changes: readonly RecordedChange[]): void {
    for (const listener of [...listeners]) {
      try {
        listener(changes);
      } catch (error) {
        report(error);
      }
    }
  }

  function commit<T>(plan: Plan<T>): T {
    const made = commitOf(catalogue, plan.writes, { epoch, revision }, nowMs());
    const head = revision + made.changes.length;
    if (made.records.length > 0) {
      write(made, head, plan.lastIDs);
      revision = head;
      catalogue.put(made.records, plan.lastIDs);
      if (made.changes.length > 0) notify(made.changes);
    }
    return plan.answer(catalogue);
  }

  return {
    epoch,
    get revision() {
      return revision;
    },
    catalogue,
    since(after) {
      if (isClosed || !reachesBackTo(after)) return 'snapshot-needed';
      return changesAfter.all(after.revision).map((row) => readRecordedChange(row, epoch));
    },
    async edit<T>(decide: (catalogue: Catalogue) => Plan<T>) {
      // An edit made by a listener must not overtake the commit that the other listeners have yet to hear.
      await Promise.resolve();
      if (isClosed)
        throw new FlagError('closed', 'The flag store is closed. Restart the server to edit flags.');
      return commit(decide(catalogue));
    },
    watch(listener) {
      const own = (changes: readonly RecordedChange[]) => listener(changes);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    problem: undefined,
    async close() {
      if (isClosed) return;
      isClosed = true;
      listeners.clear();
      database.close();
    },
  };
}

interface Loaded {
  readonly epoch: string;
  readonly revision: number;
  readonly lastIDs: LastIDs;
  readonly records: readonly FlagRecord[];
}

function load(database: DatabaseSync, file: string): Loaded {
  const setMeta = database.prepare('INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)');
  setMeta.run('epoch', randomBytes(9).toString('base64url'));
  setMeta.run('revision', '0');
  for (const kind of ID_KINDS) setMeta.run(`last_${kind}`, '0');
  try {
    const rows = database.prepare('SELECT name, value FROM meta').all();
    const meta = new Map(rows.map(({ name, value }) => [String(name), value]));
    const records = database
      .prepare('SELECT record FROM flag ORDER BY id')
      .all()
      .map(({ record }) => readRecord(record));
    return {
      epoch: String(meta.get('epoch')),
      revision: readRevision(meta),
      lastIDs: coverIDs(readIDs(meta), records),
      records,
    };
  } catch (error) {
    database.close();
    throw damaged(file, error instanceof Error ? error.message : error, error);
  }
}

function prepareWrites(
  database: DatabaseSync,
  keptChanges: number,
): (commit: Commit, head: number, lastIDs: LastIDs) => void {
  const setFlag = database.prepare(
    'INSERT INTO flag (id, key, archived, record) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET key = excluded.key, archived = excluded.archived, record = excluded.record',
  );
  const addChange = database.prepare('INSERT INTO change (revision, change, previous_tags) VALUES (?, ?, ?)');
  const setMeta = database.prepare('UPDATE meta SET value = ? WHERE name = ?');
  const forget = database.prepare('DELETE FROM change WHERE revision <= ?');

  return ({ records, changes }, head, lastIDs) => {
    database.exec('BEGIN IMMEDIATE');
    try {
      for (const record of records) {
        setFlag.run(record.flag.id, record.flag.key, record.archived ? 1 : 0, JSON.stringify(record));
      }
      for (const { change, previousTags } of changes) {
        const tags = previousTags === undefined ? null : JSON.stringify(previousTags);
        addChange.run(change.revision, encodeChange(change).data, tags);
      }
      setMeta.run(String(head), 'revision');
      for (const kind of ID_KINDS) setMeta.run(String(lastIDs[kind]), `last_${kind}`);
      forget.run(head - keptChanges);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  };
}
