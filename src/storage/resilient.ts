/**
 * A store that cannot break the page. Opens the persistent store on first use, reopens it once when the connection is lost, and goes
 * on in memory when it is blocked, broken, full or hanging. The hub always passes the whole state, so nothing held is lost by the switch.
 */
import { FlagError } from '../core/errors.ts';
import type { FlagStore, StoredFlags } from './contract.ts';
import { createMemoryStore } from './memory.ts';

export interface ResilientOptions {
  /** Opens the persistent store; `onLost` must be called when its connection is gone. */
  readonly open: (onLost: () => void) => Promise<FlagStore>;
  /** Rejects when the promise takes too long: an IndexedDB can hang for ever. */
  readonly within: <T>(promise: Promise<T>, what: string) => Promise<T>;
  /** The store has gone over to memory for good. */
  readonly onMemory: (reason: string) => void;
}

export function createResilientStore({ open, within, onMemory }: ResilientOptions): FlagStore {
  let opening: Promise<FlagStore> | undefined;
  let memory: FlagStore | undefined;
  /** There was a database, so there may be flags in it. */
  let hasOpened = false;

  const persistent = (): Promise<FlagStore> => {
    opening ??= within(
      open(() => {
        opening = undefined;
      }),
      'Opening the flag database',
    );
    return opening;
  };

  const attempt = async <T>(use: (store: FlagStore) => Promise<T>): Promise<T> => {
    const store = await persistent();
    hasOpened = true;
    return within(use(store), 'The flag database');
  };

  const run = async <T>(use: (store: FlagStore) => Promise<T>): Promise<T> => {
    if (memory !== undefined) return use(memory);
    try {
      return await attempt(use).catch((error: unknown) => {
        if (isFinal(error)) throw error;
        opening = undefined;
        return attempt(use);
      });
    } catch (error) {
      if (isSuperseded(error)) throw error;
      if (memory === undefined) {
        memory = createMemoryStore();
        onMemory(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
      }
      return use(memory);
    }
  };

  return {
    get kind() {
      return memory === undefined ? 'persistent' : 'memory';
    },
    load: () => run<StoredFlags | undefined>((store) => store.load()),
    lead: () => run((store) => store.lead()),
    saveSnapshot: (held, facts) => run((store) => store.saveSnapshot(held, facts)),
    appendChanges: (changes, held, facts) => run((store) => store.appendChanges(changes, held, facts)),
    confirm: (facts) => run((store) => store.confirm(facts)),
    clear: async () => {
      await memory?.clear();
      if (!hasOpened) return;
      // No going over to memory here: whoever wipes must hear that the data is still there.
      await attempt((store) => store.clear()).catch(() => {
        opening = undefined;
        return attempt((store) => store.clear());
      });
    },
    close: () => {
      void opening?.then(
        (store) => store.close(),
        () => {},
      );
    },
  };
}

function isSuperseded(error: unknown): boolean {
  return error instanceof FlagError && error.code === 'superseded';
}

/** Trying again cannot help: the write was refused by fencing, the database is foreign, or it hangs. */
function isFinal(error: unknown): boolean {
  return error instanceof FlagError;
}
