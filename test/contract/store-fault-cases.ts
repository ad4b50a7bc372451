/** What becomes of a hub's store when IndexedDB is missing, blocked, broken, full, hanging or taken away: over any IndexedDB, fake or real. */
import { FlagError } from '../../src/core/errors.ts';
import type { FlagStore } from '../../src/storage/contract.ts';
import { databaseName } from '../../src/storage/database.ts';
import { openIndexedDbStore } from '../../src/storage/indexeddb.ts';
import { createResilientStore, type ResilientOptions } from '../../src/storage/resilient.ts';
import { type Case, rejection, same } from './case.ts';
import { changeTo, facts, heldOf, oneAt } from './flag-store.ts';

const held = (revision: number) => heldOf(revision, [oneAt(revision)]);
const asIs: ResilientOptions['within'] = (promise) => promise;

/** A deadline that passes as soon as `pass` is called, as often as it is asked for. */
function deadlineOnCall(): { within: ResilientOptions['within']; pass: () => void; readonly waits: number } {
  let waits = 0;
  let pass = (): void => {};
  return {
    within: (promise, what) => {
      waits += 1;
      return new Promise((resolve, reject) => {
        pass = () => reject(new FlagError('timeout', `${what} did not answer in 2500 ms.`));
        promise.then(resolve, reject);
      });
    },
    pass: () => pass(),
    get waits() {
      return waits;
    },
  };
}

/** Lets everything else have its turn until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000; turn += 1) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve));
  }
  throw new Error(`After 1000 turns it is still not so that ${isSo}.`);
}

interface Subject {
  readonly store: FlagStore;
  /** Why it went over to memory; empty when it did not. */
  readonly reasons: readonly string[];
}

function resilient(scope: string, more: Partial<ResilientOptions> = {}): Subject {
  const reasons: string[] = [];
  const store = createResilientStore({
    open: (onLost) => openIndexedDbStore(scope, onLost),
    within: asIs,
    onMemory: (reason) => reasons.push(reason),
    ...more,
  });
  return { store, reasons };
}

/** Everything that a hub asks of its store, from the start on; what it then holds must be there. */
async function useLikeAHub(store: FlagStore): Promise<void> {
  await store.load();
  const term = await store.lead();
  await store.saveSnapshot(held(1), { ...facts, term });
  await store.appendChanges([changeTo(2, oneAt(2))], held(2), { ...facts, term });
  await store.confirm({ term, nowMs: 2_000 });
  same(await store.load(), { held: held(2), confirmedAtMs: 2_000, filterKey: '' });
}

/** While `run` runs, the global `indexedDB` is what the descriptor says. */
async function withIndexedDb(descriptor: PropertyDescriptor, run: () => Promise<void>): Promise<void> {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB');
  Object.defineProperty(globalThis, 'indexedDB', { ...descriptor, configurable: true });
  try {
    await run();
  } finally {
    if (own === undefined) Reflect.deleteProperty(globalThis, 'indexedDB');
    else Object.defineProperty(globalThis, 'indexedDB', own);
  }
}

const denied = (): never => {
  throw new DOMException('The operation is insecure.', 'SecurityError');
};

/** An IndexedDB whose `open` does something else. */
const openingAs = (open: (name: string, version?: number) => unknown): PropertyDescriptor => ({
  value: { open },
});

/** A request that fails. */
function failingRequest(error: DOMException): EventTarget {
  const request: EventTarget = Object.create(IDBOpenDBRequest.prototype);
  const target = new EventTarget();
  for (const name of ['addEventListener', 'removeEventListener'] as const) {
    Object.defineProperty(request, name, { value: target[name].bind(target) });
  }
  Object.defineProperty(request, 'error', { value: error });
  queueMicrotask(() => target.dispatchEvent(new Event('error')));
  return request;
}

/** There, every promise of a store holds in memory, and the reason is told once. */
function inMemoryWhere(name: string, descriptor: PropertyDescriptor, reason: RegExp): Case {
  return {
    name: `${name}: goes on in memory and says why`,
    run: (scope) =>
      withIndexedDb(descriptor, async () => {
        const { store, reasons } = resilient(scope);
        await useLikeAHub(store);
        same([store.kind, reasons.length, reason.test(reasons[0] ?? '')], ['memory', 1, true]);
      }),
  };
}

const unknownError = () => new DOMException('Connection to Indexed Database server lost.', 'UnknownError');

export const storeFaultCases: readonly Case[] = [
  inMemoryWhere('no IndexedDB', { value: undefined }, /^FlagError: This browser lets nothing be stored here/),
  inMemoryWhere('an IndexedDB that may not be touched', { get: denied }, /SecurityError.*insecure/),
  inMemoryWhere('an IndexedDB that may not be opened', openingAs(denied), /SecurityError.*insecure/),
  inMemoryWhere(
    'an IndexedDB that cannot be opened',
    openingAs(() => failingRequest(unknownError())),
    /^UnknownError: Connection/,
  ),
  {
    name: 'where nothing can be stored, there is nothing to forget',
    run: (scope) =>
      withIndexedDb({ get: denied }, async () => {
        const { store } = resilient(scope);
        await useLikeAHub(store);
        await store.clear();
        same(await store.load(), undefined);
      }),
  },
  {
    name: 'where the database cannot be opened just now, it says that it could not forget',
    run: (scope) =>
      withIndexedDb(
        openingAs(() => failingRequest(unknownError())),
        async () => {
          const { store } = resilient(scope);
          same((await rejection(store.clear())).message, 'Connection to Indexed Database server lost.');
        },
      ),
  },
  {
    name: 'forgets what an earlier page has stored, also when it has gone over to memory meanwhile',
    run: async (scope) => {
      const earlier = resilient(scope);
      await useLikeAHub(earlier.store);
      const { store } = resilient(scope);
      await withIndexedDb({ get: denied }, () => useLikeAHub(store));
      same(store.kind, 'memory');
      await store.clear();
      same(await resilient(scope).store.load(), undefined);
    },
  },
  {
    name: 'an opening that fails is tried again at once, as the second one fails too while data is being cleared',
    run: async (scope) => {
      let openings = 0;
      const { store, reasons } = resilient(scope, {
        open: (onLost) => {
          openings += 1;
          if (openings <= 2) return Promise.reject(unknownError());
          return openIndexedDbStore(scope, onLost);
        },
      });
      await useLikeAHub(store);
      same([openings, store.kind, reasons], [3, 'persistent', []]);
      store.close();
    },
  },
  {
    name: 'an opening that never answers ends in memory at the deadline, and a late answer is closed',
    run: async (scope) => {
      const deadline = deadlineOnCall();
      let answer = (_store: FlagStore): void => {};
      let closed = 0;
      const { store, reasons } = resilient(scope, {
        open: () => new Promise((resolve) => (answer = resolve)),
        within: deadline.within,
      });
      const loading = store.load();
      deadline.pass();
      same(await loading, undefined);
      await useLikeAHub(store);
      same(reasons, ['FlagError: Opening the flag database did not answer in 2500 ms.']);
      const late = await openIndexedDbStore(scope, () => {});
      answer({ ...late, close: () => (closed += 1) } as FlagStore);
      await until(() => closed > 0);
      same([closed, store.kind], [1, 'memory']);
      late.close();
    },
  },
  {
    name: 'an opening that stands behind a blocked deletion ends in memory at the deadline',
    run: async (scope) => {
      const stubborn = await openRaw(databaseName(scope));
      const deleting = indexedDB.deleteDatabase(databaseName(scope));
      await new Promise((resolve) => deleting.addEventListener('blocked', resolve, { once: true }));
      const deadline = deadlineOnCall();
      const { store } = resilient(scope, { within: deadline.within });
      const loading = store.load();
      deadline.pass();
      same([await loading, store.kind], [undefined, 'memory']);
      stubborn.close();
    },
  },
  {
    name: 'a timer that is overdue after a sleep does not cost the store: the answer gets the time once more',
    run: async (scope) => {
      const real = await openIndexedDbStore(scope, () => {});
      let answer = (): void => {};
      const deadline = deadlineOnCall();
      const { store, reasons } = resilient(scope, {
        open: async () => ({
          ...real,
          lead: async () => {
            await new Promise<void>((resolve) => (answer = resolve));
            return real.lead();
          },
        }),
        within: deadline.within,
      });
      const leading = store.lead();
      await until(() => deadline.waits === 2);
      deadline.pass();
      await until(() => deadline.waits === 3);
      answer();
      same([await leading, store.kind, reasons], [1, 'persistent', []]);
      store.close();
    },
  },
  {
    name: 'a database that stops answering ends in memory with the term that runs',
    run: async (scope) => {
      const real = await openIndexedDbStore(scope, () => {});
      const deadline = deadlineOnCall();
      const { store, reasons } = resilient(scope, {
        open: async () => ({ ...real, appendChanges: () => new Promise(() => {}) }),
        within: deadline.within,
      });
      const term = await store.lead();
      await store.saveSnapshot(held(1), { ...facts, term });
      const waits = deadline.waits;
      const appending = store.appendChanges([changeTo(2, oneAt(2))], held(2), { ...facts, term });
      for (const wanted of [waits + 1, waits + 2]) {
        await until(() => deadline.waits === wanted);
        deadline.pass();
      }
      await appending;
      same((await store.load())?.held, held(2));
      same(reasons, ['FlagError: The flag database did not answer in 2500 ms.']);
      real.close();
    },
  },
  {
    name: 'a lost connection is opened anew, and nobody notices',
    run: async (scope) => {
      const opened: FlagStore[] = [];
      const { store, reasons } = resilient(scope, {
        open: async (onLost) => {
          const real = await openIndexedDbStore(scope, onLost);
          opened.push(real);
          return real;
        },
      });
      const term = await store.lead();
      await store.saveSnapshot(held(1), { ...facts, term });
      opened[0]?.close();
      await store.appendChanges([changeTo(2, oneAt(2))], held(2), { ...facts, term });
      same((await store.load())?.held, held(2));
      same([opened.length, store.kind, reasons], [2, 'persistent', []]);
      store.close();
    },
  },
  {
    name: 'a connection that is lost again and again ends in memory, and nothing held is lost',
    run: async (scope) => {
      let openings = 0;
      const { store, reasons } = resilient(scope, {
        open: async (onLost) => {
          openings += 1;
          const real = await openIndexedDbStore(scope, onLost);
          if (openings > 1) real.close();
          return real;
        },
      });
      const term = await store.lead();
      await store.saveSnapshot(held(1), { ...facts, term });
      await withLostConnections(() =>
        store.appendChanges([changeTo(2, oneAt(2))], held(2), { ...facts, term }),
      );
      same((await store.load())?.held, held(2));
      same([openings, store.kind, reasons], [4, 'memory', ['InvalidStateError: The connection is closing.']]);
    },
  },
  {
    name: 'a database that is deleted under it is made anew with everything, and nothing is invented',
    run: async (scope) => {
      const { store, reasons } = resilient(scope);
      const term = await store.lead();
      await store.saveSnapshot(held(1), { ...facts, term });
      await deleteRaw(databaseName(scope));
      same(await store.load(), undefined);
      await store.appendChanges([changeTo(2, oneAt(2))], held(2), { ...facts, term });
      same((await store.load())?.held, held(2));
      same([store.kind, reasons], ['persistent', []]);
      store.close();
    },
  },
  {
    name: 'the end of an old connection does not take the new one away',
    run: async (scope) => {
      const ends: (() => void)[] = [];
      const { store } = resilient(scope, {
        open: (onLost) => {
          ends.push(onLost);
          return openIndexedDbStore(scope, onLost);
        },
      });
      await store.lead();
      ends[0]?.();
      await store.lead();
      ends[0]?.();
      await store.lead();
      same(ends.length, 2);
      store.close();
    },
  },
  {
    name: 'a full disk ends in memory when nothing can be freed, and what was stored before stays',
    run: async (scope) => {
      const { store, reasons } = resilient(scope);
      const term = await store.lead();
      await store.saveSnapshot(held(1), { ...facts, term });
      await withFullDisk(() => store.appendChanges([changeTo(2, oneAt(2))], held(2), { ...facts, term }));
      same((await store.load())?.held, held(2));
      same([store.kind, reasons], ['memory', ['QuotaExceededError: No space left.']]);
      same((await resilient(scope).store.load())?.held, held(1));
    },
  },
  {
    name: 'a write refused by fencing is passed on, and the store stays where it is',
    run: async (scope) => {
      const { store } = resilient(scope);
      await store.lead();
      await store.lead();
      same((await rejection(store.saveSnapshot(held(1), facts))).code, 'superseded');
      same(store.kind, 'persistent');
      store.close();
    },
  },
  {
    name: 'every connection is closed in the end, and a store that was closed opens none any more',
    run: async (scope) => {
      const calls: string[] = [];
      const { store, reasons } = resilient(scope, {
        open: async (onLost) => {
          const real = await openIndexedDbStore(scope, onLost);
          calls.push('open');
          const close = () => {
            calls.push('close');
            real.close();
          };
          return { ...real, close };
        },
      });
      const term = await store.lead();
      await withLostConnections(() => store.saveSnapshot(held(1), { ...facts, term }), 1);
      const writing = store.saveSnapshot(held(2), { ...facts, term });
      store.close();
      await writing;
      await store.saveSnapshot(held(3), { ...facts, term });
      await store.load();
      same([calls, reasons], [['open', 'close', 'open', 'close'], []]);
    },
  },
];

function openRaw(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Rejects when an open connection does not let go at once. */
function deleteRaw(name: string): Promise<void> {
  const request = indexedDB.deleteDatabase(name);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve();
    request.onblocked = () => reject(new Error(`Somebody still holds ${name} open.`));
    request.onerror = () => reject(request.error);
  });
}

/** While `run` runs, so many transactions cannot be begun. */
async function withLostConnections(
  run: () => Promise<unknown>,
  count = Number.POSITIVE_INFINITY,
): Promise<void> {
  const { transaction } = IDBDatabase.prototype;
  let left = count;
  IDBDatabase.prototype.transaction = function (...args) {
    left -= 1;
    if (left < 0) return transaction.apply(this, args);
    throw new DOMException('The connection is closing.', 'InvalidStateError');
  };
  try {
    await run();
  } finally {
    IDBDatabase.prototype.transaction = transaction;
  }
}

async function withFullDisk(run: () => Promise<unknown>): Promise<void> {
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = () => {
    throw new DOMException('No space left.', 'QuotaExceededError');
  };
  try {
    await run();
  } finally {
    IDBObjectStore.prototype.put = put;
  }
}
