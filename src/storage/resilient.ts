/**
 * A store that cannot break the page. Opens the persistent store on first use, reopens it when the connection is lost, and goes
 * on in memory when it is blocked, broken, full or hanging. The hub always passes the whole state, so nothing held is lost by the switch.
 *
 * Memory is for the rest of this hub's life: another hub may write meanwhile, and coming back in the middle would need its consent.
 * The next hub (a new worker, a new leading tab) tries again. What was stored before the switch stays, and is as old as it says.
 */
import { FlagError, type FlagErrorCode } from '../core/errors.ts';
import type { FlagStore, StoredFlags } from './contract.ts';
import { createMemoryStore } from './memory.ts';
import { isQuotaError } from './transaction.ts';

export interface ResilientOptions {
  /** Opens the persistent store; `onLost` must be called when its connection is gone. */
  readonly open: (onLost: () => void) => Promise<FlagStore>;
  /** Rejects with `timeout` when the promise takes too long: an IndexedDB can hang for ever. */
  readonly within: <T>(promise: Promise<T>, what: string) => Promise<T>;
  /** The browser has closed a connection: the database may have been deleted, and what was in it is gone then. Default: nobody asks. */
  readonly onLost?: () => void;
  /** The store has gone over to memory for good. */
  readonly onMemory: (reason: string) => void;
}

/** While a user clears the site's data, Chromium also closes the first connection that is opened anew (seen: two fail, the third holds). */
const MAX_TRIES = 4;

type Use<T> = (store: FlagStore) => Promise<T>;

export function createResilientStore({
  open,
  within,
  onLost = () => {},
  onMemory,
}: ResilientOptions): FlagStore {
  let opened: Promise<FlagStore> | undefined;
  let memory: FlagStore | undefined;
  let isClosed = false;

  const connect = (): Promise<FlagStore> => {
    if (opened !== undefined) return opened;
    const store = open(() => {
      letGo(connecting);
      if (!isClosed) onLost();
    });
    const connecting = within(store, 'Opening the flag database').catch((error: unknown) => {
      letGo(connecting);
      // It may still open, and would then be in the way of whoever wants to delete it.
      closeWhenOpen(store);
      throw error;
    });
    opened = connecting;
    return connecting;
  };

  /** Only the connection meant: its end can be told when the next one is already there. */
  const letGo = (connection: Promise<FlagStore>): void => {
    if (opened !== connection) return;
    opened = undefined;
    closeWhenOpen(connection);
  };

  const attempt = async <T>(use: Use<T>): Promise<T> => {
    const connection = connect();
    const store = await connection;
    try {
      return await withPatience(use(store));
    } catch (error) {
      if (!isCode(error, 'superseded')) letGo(connection);
      throw error;
    }
  };

  /** Twice the time: when a frozen page or a sleeping machine goes on, the timer is overdue before the answer has had its turn. */
  const withPatience = <T>(answer: Promise<T>): Promise<T> =>
    within(answer, 'The flag database').catch((error: unknown) => {
      if (!isCode(error, 'timeout')) throw error;
      return within(answer, 'The flag database');
    });

  /** Again on a new connection, unless that cannot help. */
  const attemptAgain = async <T>(use: Use<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt(use);
      } catch (error) {
        if (isHopeless(error) || isClosed || tries === MAX_TRIES) throw error;
      }
    }
  };

  const run = async <T>(use: Use<T>): Promise<T> => {
    if (memory !== undefined) return use(memory);
    try {
      return await attemptAgain(use);
    } catch (error) {
      if (isCode(error, 'superseded')) throw error;
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
    lead: (above) => run((store) => store.lead(above)),
    saveSnapshot: (held, facts) => run((store) => store.saveSnapshot(held, facts)),
    appendChanges: (changes, held, facts) => run((store) => store.appendChanges(changes, held, facts)),
    confirm: (facts) => run((store) => store.confirm(facts)),
    clear: async (asLeader) => {
      await memory?.clear();
      // No going over to memory here, and no giving up because of it: whoever wipes must hear that the data is still there.
      await attemptAgain((store) => store.clear(asLeader)).catch((error: unknown) => {
        // Where nothing can be stored at all, there is nothing to wipe.
        if (!isCode(error, 'storage')) throw error;
      });
      if (isClosed && opened !== undefined) letGo(opened);
    },
    close: () => {
      isClosed = true;
      // Whatever is still asked for must not open it again.
      memory ??= createMemoryStore();
      if (opened !== undefined) letGo(opened);
    },
  };
}

function closeWhenOpen(opening: Promise<FlagStore>): void {
  opening.then(
    (store) => store.close(),
    () => {},
  );
}

/** Refused by fencing, not there at all, hanging, or full. */
function isHopeless(error: unknown): boolean {
  return error instanceof FlagError || isQuotaError(error);
}

function isCode(error: unknown, code: FlagErrorCode): boolean {
  return error instanceof FlagError && error.code === code;
}
