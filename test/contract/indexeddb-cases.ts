/** What the persistent store does when somebody or something touches what it has stored. Over any IndexedDB: fake or real. */
import { deleteDB, type IDBPDatabase, openDB } from 'idb';
import type { FlagStore } from '../../src/storage/contract.ts';
import { databaseName, type FlagDatabase } from '../../src/storage/database.ts';
import { openIndexedDbStore } from '../../src/storage/indexeddb.ts';
import type { LogRecord } from '../../src/storage/records.ts';
import { inTransaction, issue } from '../../src/storage/transaction.ts';
import { type Case, rejection, same } from './case.ts';
import { changeTo, facts, heldOf, oneAt, two } from './flag-store.ts';

type Database = IDBPDatabase<FlagDatabase>;

/** Opens the database behind the store, to look at it or to damage it. */
export async function withDatabase<T>(scope: string, use: (db: Database) => Promise<T>): Promise<T> {
  const db = await openDB<FlagDatabase>(databaseName(scope), 1);
  try {
    return await use(db);
  } finally {
    db.close();
  }
}

const open = (scope: string): Promise<FlagStore> => openIndexedDbStore(scope, () => {});
const held = (revision: number) => heldOf(revision, [oneAt(revision)]);
const append = (store: FlagStore, revision: number, term = 1) =>
  store.appendChanges([changeTo(revision, oneAt(revision))], held(revision), { ...facts, term });

/** Snapshots at 1 and 3 with the changes 2, 3 between them and 4, 5 behind them. */
async function storeFiveStates(scope: string): Promise<FlagStore> {
  const store = await open(scope);
  await store.lead();
  await store.saveSnapshot(held(1), facts);
  await append(store, 2);
  await append(store, 3);
  await store.saveSnapshot(held(3), facts);
  await append(store, 4);
  await append(store, 5);
  return store;
}

/** The state that is left of the five after the damage. */
function afterDamage(
  name: string,
  damage: (db: Database) => Promise<unknown>,
  revision: number | undefined,
): Case {
  return {
    name,
    run: async (scope) => {
      const store = await storeFiveStates(scope);
      await withDatabase(scope, damage);
      same((await store.load())?.held, revision === undefined ? undefined : held(revision));
      store.close();
      const next = await open(scope);
      const term = await next.lead();
      // The server sends again what is missing.
      if (revision === undefined) await next.saveSnapshot(held(5), { ...facts, term });
      for (let again = (revision ?? 5) + 1; again <= 6; again += 1) await append(next, again, term);
      same((await next.load())?.held, held(6));
      next.close();
    },
  };
}

const SNAPSHOTS = { spare: 1, newest: 2 } as const;

const changeSnapshot = (which: keyof typeof SNAPSHOTS, change: object) => async (db: Database) => {
  const record = await db.get('snapshot', SNAPSHOTS[which]);
  if (record === undefined) throw new Error(`The ${which} snapshot is not where this test looks for it.`);
  await db.put('snapshot', { ...record, ...change }, SNAPSHOTS[which]);
};

const changeLog = (key: number, change: object) => async (db: Database) => {
  const record = await db.get('log', key);
  if (record === undefined) throw new Error(`Log record ${key} is not where this test looks for it.`);
  await db.put('log', { ...record, ...change }, key);
};

const putAnything = (store: 'snapshot' | 'log' | 'meta', value: unknown, key: unknown) => (db: Database) =>
  db.put(store, value as never, key as never);

const damageCases: readonly Case[] = [
  afterDamage(
    'a newest snapshot with other flags counts as damaged: the spare one and the log lead to the same state',
    changeSnapshot('newest', { flagsJson: '[]' }),
    5,
  ),
  afterDamage(
    'so does one with half its text',
    changeSnapshot('newest', { flagsJson: '[{"id":1,"key":"on' }),
    5,
  ),
  afterDamage('so does one with another revision', changeSnapshot('newest', { revision: 4 }), 5),
  afterDamage('so does one with another epoch', changeSnapshot('newest', { epoch: 'e2' }), 5),
  afterDamage('so does one with another filter', changeSnapshot('newest', { filterKey: 'tags=web' }), 5),
  afterDamage('so does one with another age', changeSnapshot('newest', { savedAtMs: 'now' }), 5),
  afterDamage('so does one without a hash', changeSnapshot('newest', { hash: undefined }), 5),
  afterDamage('so does one that is no record', putAnything('snapshot', null, 2), 5),
  afterDamage('so does one that is gone', (db) => db.delete('snapshot', 2), 5),
  afterDamage('a damaged spare does no harm', changeSnapshot('spare', { flagsJson: '[]' }), 5),
  afterDamage(
    'two damaged snapshots are as good as none',
    async (db) => {
      await changeSnapshot('newest', { hash: 0 })(db);
      await changeSnapshot('spare', { hash: 0 })(db);
    },
    undefined,
  ),
  afterDamage(
    'a half-written log record ends the log',
    changeLog(3, { changesJson: '[{"type":"FLAG_UP' }),
    4,
  ),
  afterDamage('what is behind a damaged log record is not applied', changeLog(2, { hash: 1 }), 3),
  afterDamage('nor is what is behind a gap in the log', (db) => db.delete('log', 2), 3),
  afterDamage(
    'a log record that claims another place counts as damaged',
    changeLog(3, { afterRevision: 3 }),
    4,
  ),
  afterDamage('a log record that is no record ends the log', putAnything('log', null, 3), 4),
  afterDamage(
    'damage in front of the newest snapshot does no harm to what is behind it',
    changeLog(0, { hash: 1 }),
    5,
  ),
  afterDamage('a missing head is made anew', (db) => db.delete('meta', 'head'), 5),
  afterDamage(
    'so is one of another shape, as a newer version may write',
    putAnything('meta', { newest: 'b' }, 'head'),
    5,
  ),
  afterDamage('so is one that is no record', putAnything('meta', null, 'head'), 5),
  afterDamage(
    'a head with fields of a newer version is read like any other',
    async (db) => {
      const head = await db.get('meta', 'head');
      await db.put('meta', { ...(head as object), compressed: 'gzip' } as never, 'head');
    },
    5,
  ),
  afterDamage(
    'records of a newer version under keys of another type are left alone',
    async (db) => {
      await db.put('snapshot', { flags: [] } as never, 'flags' as never);
      await db.put('log', { op: 'x' } as never, 'op' as never);
      await db.put('meta', { since: 2 } as never, 'migration' as never);
      await db.delete('meta', 'head');
    },
    5,
  ),
];

const otherHandsCases: readonly Case[] = [
  {
    name: 'whoever has read a damaged snapshot replaces it with the next change',
    run: async (scope) => {
      const store = await storeFiveStates(scope);
      await withDatabase(scope, changeSnapshot('newest', { hash: 0 }));
      await store.load();
      await append(store, 6);
      await withDatabase(scope, (db) => db.delete('snapshot', SNAPSHOTS.spare));
      same((await store.load())?.held, held(6));
      store.close();
    },
  },
  {
    name: 'one record that the browser cannot give any more is damage like any other',
    run: async (scope) => {
      const store = await storeFiveStates(scope);
      const restore = failReading((key) => key === 2);
      try {
        same((await store.load())?.held, held(5));
      } finally {
        restore();
        store.close();
      }
    },
  },
  {
    name: 'after another hub has cleared it in the middle of a term, the next change brings everything',
    run: async (scope) => {
      const store = await storeFiveStates(scope);
      const other = await open(scope);
      await other.clear();
      await append(store, 6);
      same((await other.load())?.held, held(6));
      store.close();
      other.close();
    },
  },
  {
    name: 'a hub whose term is over is refused also when the database was deleted meanwhile and the terms were counted anew',
    run: async (scope) => {
      const thawed = await open(scope);
      for (let terms = 0; terms < 3; terms += 1) await thawed.lead();
      await deleteDB(databaseName(scope));
      const leader = await open(scope);
      const term = await leader.lead();
      await leader.saveSnapshot(held(9), { ...facts, term });
      const reopened = await open(scope);
      same((await rejection(append(reopened, 2, 3))).code, 'superseded');
      same((await leader.load())?.held, held(9));
      for (const store of [thawed, leader, reopened]) store.close();
    },
  },
  {
    name: 'a term goes on when the database was deleted under it, and the next one is a later one',
    run: async (scope) => {
      const before = await open(scope);
      for (let terms = 0; terms < 3; terms += 1) await before.lead();
      await deleteDB(databaseName(scope));
      const reopened = await open(scope);
      await append(reopened, 2, 3);
      same(await reopened.lead(), 4);
      same((await reopened.load())?.held, held(2));
      for (const store of [before, reopened]) store.close();
    },
  },
  {
    name: 'a term goes on when the database was deleted and then cleared',
    run: async (scope) => {
      const store = await open(scope);
      await store.clear();
      await append(store, 2, 3);
      same((await store.load())?.held, held(2));
      store.close();
    },
  },
  {
    name: 'a write that fails says why, and not only that it was aborted',
    run: async (scope) => {
      const store = await storeFiveStates(scope);
      const failing = withDatabase(scope, (db) =>
        inTransaction(db, ['log'], async (tx) => {
          const log = tx.objectStore('log');
          issue(log.add({ ...((await log.get(3)) as LogRecord) }, 3));
          await log.get(3);
        }),
      );
      same(((await rejection(failing)) as Error).name, 'ConstraintError');
      store.close();
    },
  },
  {
    name: 'it lets go of a database that somebody wants to delete, and says so',
    run: async (scope) => {
      let lost = 0;
      await openIndexedDbStore(scope, () => {
        lost += 1;
      });
      await deleteDB(databaseName(scope));
      same(lost, 1);
    },
  },
  {
    name: 'a database that another program made is refused by name',
    run: async (scope) => {
      const foreign = await openDB(databaseName(scope), 1, {
        upgrade: (db) => void db.createObjectStore('notes'),
      });
      foreign.close();
      const { code, message } = await rejection(open(scope));
      same(code, 'storage');
      same(
        /was not made by flagent-offline \(it lacks snapshot, log, meta, outbox\)/.test(String(message)),
        true,
      );
    },
  },
  {
    name: 'the log is folded when it has outgrown the snapshot, and the change that did it stands in both',
    run: async (scope) => {
      const store = await open(scope);
      await store.lead();
      await store.saveSnapshot(heldOf(1, [two]), facts);
      const large = (revision: number) => ({ ...oneAt(revision), description: 'x'.repeat(30_000) });
      for (let revision = 2; revision <= 5; revision += 1) {
        const state = heldOf(revision, [two, large(revision)]);
        await store.appendChanges([changeTo(revision, large(revision))], state, facts);
      }
      const revisions = () =>
        withDatabase(scope, async (db) => (await db.getAll('snapshot')).map(({ revision }) => revision));
      same(await revisions(), [1, 4]);
      await withDatabase(scope, (db) => db.delete('snapshot', 2));
      same((await store.load())?.held, heldOf(5, [two, large(5)]));
      store.close();
    },
  },
  {
    name: 'only one spare snapshot is kept, and only the log that leads from it',
    run: async (scope) => {
      const store = await open(scope);
      await store.lead();
      for (let revision = 1; revision < 20; revision += 2) {
        await store.saveSnapshot(held(revision), facts);
        await append(store, revision + 1);
      }
      same(await countRecords(scope), [2, 2]);
      store.close();
    },
  },
  {
    name: 'on a full disk the spare snapshot and its log go first, and what was stored stays',
    run: async (scope) => {
      const store = await storeFiveStates(scope);
      const restore = refuseWriting();
      try {
        await append(store, 6);
      } finally {
        restore();
      }
      same((await store.load())?.held, held(6));
      same(await countRecords(scope), [1, 3]);
      store.close();
    },
  },
];

export const indexedDbCases: readonly Case[] = [...damageCases, ...otherHandsCases];

/** How many snapshots and log records there are. */
function countRecords(scope: string): Promise<readonly number[]> {
  return withDatabase(scope, async (db) => [await db.count('snapshot'), await db.count('log')]);
}

/** Chromium keeps large values in files; when one is lost, the request for its record fails, and the transaction with it. */
function failReading(isLost: (key: unknown) => boolean): () => void {
  const { get, getAll } = IDBObjectStore.prototype;
  const fail = (store: IDBObjectStore): never => {
    store.transaction.abort();
    throw new DOMException('Failed to read large IndexedDB value', 'DataError');
  };
  IDBObjectStore.prototype.get = function (key) {
    return this.name === 'snapshot' && isLost(key) ? fail(this) : get.call(this, key);
  };
  IDBObjectStore.prototype.getAll = function (...args) {
    return this.name === 'snapshot' ? fail(this) : getAll.apply(this, args);
  };
  return () => Object.assign(IDBObjectStore.prototype, { get, getAll });
}

/** The disk is full until something has been deleted. */
function refuseWriting(): () => void {
  const { put, delete: remove } = IDBObjectStore.prototype;
  let isFull = true;
  IDBObjectStore.prototype.put = function (...args) {
    if (isFull) throw new DOMException('No space left.', 'QuotaExceededError');
    return put.apply(this, args);
  };
  IDBObjectStore.prototype.delete = function (...args) {
    isFull = false;
    return remove.apply(this, args);
  };
  return () => Object.assign(IDBObjectStore.prototype, { put, delete: remove });
}
