/** The storage that all hubs of a browser share, as it fails: cleared under them, broken for a while, gone with their process. */
import { FlagError } from '../../src/core/errors.ts';
import type { FlagStore, StoredFlags } from '../../src/storage/contract.ts';
import { databaseName } from '../../src/storage/database.ts';
import { openIndexedDbStore } from '../../src/storage/indexeddb.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { createResilientStore } from '../../src/storage/resilient.ts';
import type { WorldAgent } from './hub-world.ts';

/** `memory`: a stand-in for a database, fast. `indexeddb`: the real store. `none`: each hub has only its own memory. */
export type StorageKind = 'memory' | 'indexeddb' | 'none';

export interface ChaosStorage {
  readonly kind: StorageKind;
  openStore(agent: WorldAgent): FlagStore;
  /** Calls when a connection of this process is lost, and what was stored may be gone; one listener. */
  whenLost(agent: WorldAgent, call: () => void): void;
  /** What lies there now. */
  peek(): Promise<StoredFlags | undefined>;
  /** The user or the browser deletes the site's data. */
  clear(): Promise<void>;
  setBroken(isBroken: boolean): void;
  /** Answers that are still to come. */
  readonly pending: number;
}

interface Database {
  open(onLost: () => void): Promise<FlagStore>;
  /** A connection that no hub has. */
  reader(): Promise<FlagStore>;
  clear(): Promise<void>;
}

let databases = 0;

export function createChaosStorage(kind: StorageKind): ChaosStorage {
  const database = kind === 'indexeddb' ? indexedDatabase() : memoryDatabase();
  let isBroken = false;
  let pending = 0;
  const listeners = new WeakMap<WorldAgent, () => void>();
  const counted = async <T>(work: Promise<T>): Promise<T> => {
    pending += 1;
    try {
      return await work;
    } finally {
      pending -= 1;
    }
  };

  /** The connection of one process. */
  const connect = async ({ life, death }: WorldAgent, onLost: () => void): Promise<FlagStore> => {
    const store = await counted(database.open(() => life.run(onLost)));
    death.addEventListener('abort', store.close);
    const ask = <T>(work: () => Promise<T>): Promise<T> => {
      if (life.isDead) return new Promise(() => {});
      if (isBroken) return Promise.reject(new Error('The disk is broken.'));
      return life.hear(counted(work()));
    };
    return {
      kind: 'persistent',
      load: () => ask(store.load),
      lead: (above) => ask(() => store.lead(above)),
      saveSnapshot: (held, facts) => ask(() => store.saveSnapshot(held, facts)),
      appendChanges: (changes, held, facts) => ask(() => store.appendChanges(changes, held, facts)),
      confirm: (facts) => ask(() => store.confirm(facts)),
      clear: (asLeader) => ask(() => store.clear(asLeader)),
      close: store.close,
    };
  };

  return {
    kind,
    openStore: (agent) =>
      createResilientStore({
        open: async (onConnectionLost) => {
          if (kind === 'none') throw new FlagError('storage', 'Nothing can be stored here.');
          return connect(agent, onConnectionLost);
        },
        within: (promise) => promise,
        onLost: () => listeners.get(agent)?.(),
        onMemory: () => {},
      }),
    whenLost: (agent, call) => void listeners.set(agent, call),
    peek: () => counted(database.reader().then((store) => store.load())),
    clear: () => counted(database.clear()),
    setBroken: (broken) => {
      isBroken = broken;
    },
    get pending() {
      return pending;
    },
  };
}

function memoryDatabase(): Database {
  let store = createMemoryStore();
  let connections = new Set<() => void>();
  return {
    open: async (onLost) => {
      const mine = store;
      connections.add(onLost);
      const ask = <T>(work: () => Promise<T>): Promise<T> =>
        mine === store ? work() : Promise.reject(new Error('The connection is lost.'));
      return {
        kind: 'persistent',
        load: () => ask(mine.load),
        lead: (above) => ask(() => mine.lead(above)),
        saveSnapshot: (held, facts) => ask(() => mine.saveSnapshot(held, facts)),
        appendChanges: (changes, held, facts) => ask(() => mine.appendChanges(changes, held, facts)),
        confirm: (facts) => ask(() => mine.confirm(facts)),
        clear: (asLeader) => ask(() => mine.clear(asLeader)),
        close: () => void connections.delete(onLost),
      };
    },
    reader: async () => store,
    clear: async () => {
      const lost = connections;
      store = createMemoryStore();
      connections = new Set();
      for (const onLost of lost) onLost();
    },
  };
}

/** Needs `fake-indexeddb/auto`. */
function indexedDatabase(): Database {
  databases += 1;
  const scope = `chaos ${databases}`;
  let reader: Promise<FlagStore> | undefined;
  return {
    open: (onLost) => openIndexedDbStore(scope, onLost),
    reader: () => {
      reader ??= openIndexedDbStore(scope, () => {
        reader = undefined;
      });
      return reader;
    },
    clear: () =>
      new Promise((resolve, reject) => {
        const deleting = indexedDB.deleteDatabase(databaseName(scope));
        deleting.onsuccess = () => resolve();
        deleting.onerror = () => reject(deleting.error);
      }),
  };
}
