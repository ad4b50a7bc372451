import 'fake-indexeddb/auto';
import { deleteDB, openDB } from 'idb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Flag } from '../../src/core/model.ts';
import type { FlagStore } from '../../src/storage/contract.ts';
import { databaseName, type FlagDatabase } from '../../src/storage/database.ts';
import { openIndexedDbStore } from '../../src/storage/indexeddb.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { createResilientStore } from '../../src/storage/resilient.ts';
import { buildFlag, buildFlags } from '../kit/flags.ts';
import { changeTo, flagStoreContract, heldOf } from './flag-store.ts';

const SCOPE = 'test@http://server';
const facts = { term: 1, nowMs: 1_000, filterKey: '' };
let opened: FlagStore[] = [];

beforeEach(async () => {
  for (const store of opened) store.close();
  opened = [];
  await deleteDB(databaseName(SCOPE));
});

const open = async (): Promise<FlagStore> => {
  const store = await openIndexedDbStore(SCOPE, () => {});
  opened.push(store);
  return store;
};

const asIs = <T>(promise: Promise<T>): Promise<T> => promise;

describe('contract', () => {
  flagStoreContract('memory', async () => createMemoryStore(), { survivesReopening: false });
  flagStoreContract('indexeddb', open, { survivesReopening: true });
  flagStoreContract(
    'resilient',
    async () => createResilientStore({ open, within: asIs, onMemory: () => {} }),
    {
      survivesReopening: true,
    },
  );
});

const one = buildFlag('one', { id: 1 });
const changed = (revision: number): Flag => ({ ...one, snapshotID: revision });

/** Opens the database behind the store, to look at it or to damage it. */
async function withDatabase<T>(
  use: (db: Awaited<ReturnType<typeof openDB<FlagDatabase>>>) => Promise<T>,
): Promise<T> {
  const db = await openDB<FlagDatabase>(databaseName(SCOPE), 1);
  try {
    return await use(db);
  } finally {
    db.close();
  }
}

async function storeThreeStates(): Promise<FlagStore> {
  const store = await open();
  await store.lead();
  await store.saveSnapshot(heldOf(1, [changed(1)]), facts);
  await store.appendChanges([changeTo(2, changed(2))], heldOf(2, [changed(2)]), facts);
  await store.saveSnapshot(heldOf(2, [changed(2)]), facts);
  await store.appendChanges([changeTo(3, changed(3))], heldOf(3, [changed(3)]), facts);
  return store;
}

test('a damaged snapshot falls back to the one before it and comes forward again by the log', async () => {
  const store = await storeThreeStates();
  await withDatabase(async (db) => {
    const newest = await db.get('snapshot', 'b');
    if (newest?.revision !== 2) throw new Error('The newest snapshot is not where this test looks for it.');
    await db.put('snapshot', { ...newest, flagsJson: newest.flagsJson.replace('one', 'xxx') }, 'b');
  });
  expect((await store.load())?.held).toEqual(heldOf(3, [changed(3)]));
});

test('a damaged log record ends the log: what is behind it is not applied', async () => {
  const store = await storeThreeStates();
  await store.appendChanges([changeTo(4, changed(4))], heldOf(4, [changed(4)]), facts);
  await withDatabase(async (db) => {
    const keys = await db.getAllKeys('log');
    const key = keys.at(-2) ?? 0;
    const record = await db.get('log', key);
    if (record === undefined) throw new Error('There is no log record to damage.');
    await db.put('log', { ...record, changesJson: record.changesJson.slice(0, -5) }, key);
  });
  expect((await store.load())?.held).toEqual(heldOf(2, [changed(2)]));
});

test('two damaged snapshots are as good as none', async () => {
  const store = await storeThreeStates();
  await withDatabase(async (db) => {
    for (const slot of ['a', 'b'] as const) {
      const record = await db.get('snapshot', slot);
      if (record !== undefined) await db.put('snapshot', { ...record, hash: record.hash + 1 }, slot);
    }
  });
  expect(await store.load()).toBeUndefined();
});

test('a change writes as much with 10 000 flags as with 100', async () => {
  const writtenFor = async (n: number): Promise<number[]> => {
    await deleteDB(databaseName(SCOPE));
    const flags = buildFlags(n, 1);
    const store = await open();
    await store.lead();
    await store.saveSnapshot(heldOf(1, flags), facts);
    const lengths: number[] = [];
    for (let revision = 2; revision < 52; revision += 1) {
      const change = changeTo(revision, { ...one, snapshotID: revision });
      lengths.push((await store.appendChanges([change], heldOf(revision, flags), facts)).length);
    }
    store.close();
    return lengths;
  };
  const few = await writtenFor(100);
  const many = await writtenFor(10_000);
  expect(Math.max(...many)).toBe(Math.max(...few));
});

test('the log is folded into a new snapshot when it has outgrown the old one', async () => {
  const store = await open();
  await store.lead();
  await store.saveSnapshot(heldOf(1, [one]), facts);
  const large: Flag = { ...one, description: 'x'.repeat(30_000) };
  for (let revision = 2; revision <= 5; revision += 1) {
    await store.appendChanges([changeTo(revision, large)], heldOf(revision, [large]), facts);
  }
  const newest = await withDatabase(async (db) =>
    (await db.getAll('snapshot')).reduce((revision, record) => Math.max(revision, record.revision), 0),
  );
  expect(newest).toBe(4);
  expect((await store.load())?.held).toEqual(heldOf(5, [large]));
});

test('a database that another program made is refused by name', async () => {
  const foreign = await openDB(databaseName(SCOPE), 1, {
    upgrade: (db) => void db.createObjectStore('notes'),
  });
  foreign.close();
  await expect(open()).rejects.toThrow(/was not made by flagent-offline \(it lacks snapshot, log, meta\)/);
});

describe('resilient', () => {
  const resilient = (openStore: (onLost: () => void) => Promise<FlagStore>) => {
    const reasons: string[] = [];
    const store = createResilientStore({
      open: openStore,
      within: asIs,
      onMemory: (reason) => reasons.push(reason),
    });
    return { store, reasons };
  };

  test('goes on in memory when the database cannot be opened, says why, and loses nothing', async () => {
    const { store, reasons } = resilient(async () => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    });
    expect(await store.load()).toBeUndefined();
    const term = await store.lead();
    await store.saveSnapshot(heldOf(1, [one]), { ...facts, term });
    expect((await store.load())?.held).toEqual(heldOf(1, [one]));
    expect([store.kind, reasons]).toEqual(['memory', ['SecurityError: The operation is insecure.']]);
  });

  test('reopens once when the connection is lost', async () => {
    let openings = 0;
    const { store, reasons } = resilient(async () => {
      openings += 1;
      return open();
    });
    const term = await store.lead();
    await store.saveSnapshot(heldOf(1, [one]), { ...facts, term });
    for (const lost of opened) lost.close();
    await store.saveSnapshot(heldOf(2, [one]), { ...facts, term });
    expect((await store.load())?.held.revision).toBe(2);
    expect([openings, store.kind, reasons]).toEqual([2, 'persistent', []]);
  });

  test('writes a whole snapshot when the database was deleted under it: a log without one would be lost', async () => {
    const { store, reasons } = resilient((onLost) => openIndexedDbStore(SCOPE, onLost));
    const term = await store.lead();
    await store.saveSnapshot(heldOf(1, [one]), { ...facts, term });
    await deleteDB(databaseName(SCOPE));
    await store.appendChanges([changeTo(2, changed(2))], heldOf(2, [changed(2)]), { ...facts, term });
    expect((await store.load())?.held).toEqual(heldOf(2, [changed(2)]));
    expect([store.kind, reasons]).toEqual(['persistent', []]);
    store.close();
  });

  test('says when it could not be cleared, instead of leaving the data behind in silence', async () => {
    const { store, reasons } = resilient(async (onLost) => {
      const real = await openIndexedDbStore(SCOPE, onLost);
      opened.push(real);
      const clear = async () => {
        throw new DOMException('The disk is read-only.', 'UnknownError');
      };
      return { ...real, clear };
    });
    const term = await store.lead();
    await store.saveSnapshot(heldOf(1, [one]), { ...facts, term });
    await expect(store.clear()).rejects.toThrow('The disk is read-only.');
    expect([store.kind, reasons, (await store.load())?.held.revision]).toEqual(['persistent', [], 1]);
  });

  test('takes over the term when it goes over to memory in the middle of one', async () => {
    let isFull = false;
    const { store, reasons } = resilient(async (onLost) => {
      const real = await openIndexedDbStore(SCOPE, onLost);
      opened.push(real);
      return {
        ...real,
        appendChanges: async (...args) => {
          if (isFull) throw new DOMException('No space left.', 'QuotaExceededError');
          return real.appendChanges(...args);
        },
      };
    });
    const term = await store.lead();
    await store.saveSnapshot(heldOf(1, [one]), { ...facts, term });
    isFull = true;
    await store.appendChanges([changeTo(2, changed(2))], heldOf(2, [changed(2)]), { ...facts, term });
    expect((await store.load())?.held).toEqual(heldOf(2, [changed(2)]));
    expect(reasons).toEqual(['QuotaExceededError: No space left.']);
  });

  test('passes a write refused by fencing on, instead of going over to memory', async () => {
    const { store } = resilient(open);
    await store.lead();
    await store.lead();
    await expect(store.saveSnapshot(heldOf(1, [one]), facts)).rejects.toMatchObject({ code: 'superseded' });
    expect(store.kind).toBe('persistent');
  });
});
