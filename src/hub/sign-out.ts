/**
 * Sign-out: everything held and under way is let go of, and nothing comes back until somebody wants flags again: a tab that has not signed
 * out attaches or asks, or another hub leads again.
 */
import type { FlagStore } from '../storage/contract.ts';
import type { Trace } from '../system/trace.ts';
import { wipeFailed } from './answers.ts';
import type { Connection } from './connection.ts';
import type { Answer } from './contract.ts';
import type { Leadership } from './leadership.ts';
import type { Replica } from './replica.ts';
import type { Tabs } from './tabs.ts';

export interface SignOut {
  /** Signed out, and nobody has signed in since. */
  readonly isForgotten: boolean;
  /** Settles when the wipe under way, if there is one, has ended: what is read from storage before that may be what is being wiped. */
  readonly wiped: Promise<unknown>;
  /** A tab of this hub asks for it: wipes storage, and tells the other hubs. */
  forget(): Promise<Answer<null>>;
  /** Another hub was told to. */
  forgetWithOthers(): void;
  /** Somebody wants flags. */
  remember(): void;
  /** A tab has come that has signed out, after a crash or a sleep: it alone is no reason to stream. */
  staySignedOut(): void;
}

export interface SignOutOptions {
  readonly connection: Connection;
  readonly replica: Replica;
  readonly tabs: Tabs;
  readonly store: FlagStore;
  readonly trace: Trace;
  readonly leadership: () => Leadership | undefined;
}

/** Why the connection is quiet after a sign-out. */
const FORGOTTEN = 'forgotten';

export function createSignOut(options: SignOutOptions): SignOut {
  const { connection, replica, tabs, store, trace, leadership } = options;
  let isForgotten = false;
  /** A tab that has not signed out has come since the last sign-out, or since the start. */
  let isWanted = false;
  let wiped: Promise<unknown> = Promise.resolve();

  const letGo = async (): Promise<void> => {
    isForgotten = true;
    isWanted = false;
    connection.tell({ type: 'pause', reason: FORGOTTEN });
    leadership()?.want(false);
    // An answer still under way belongs to who is being forgotten.
    connection.cancelRequests();
    tabs.dropToken();
    await replica.drop();
  };

  return {
    get isForgotten() {
      return isForgotten;
    },
    get wiped() {
      return wiped;
    },
    forget: () => {
      // The others are told first: what they still store must be gone when this wipe ends.
      const told = leadership()?.forget();
      const answer = letGo()
        .then(() => told)
        .then(() => store.clear())
        .then(() => ({ ok: true, value: null }) as const, wipeFailed);
      wiped = answer;
      return answer;
    },
    forgetWithOthers: () => {
      // Before the lead is let go of.
      const wipe = replica.wiper();
      wiped = letGo()
        .then(wipe)
        .catch((error: unknown) => trace('storage', 'not wiped', { reason: String(error) }));
    },
    remember: () => {
      isWanted = true;
      if (!isForgotten) return;
      isForgotten = false;
      connection.tell({ type: 'unpause', reason: FORGOTTEN });
      if (tabs.activeCount > 0) leadership()?.want(true);
    },
    staySignedOut: () => {
      if (isWanted) return;
      isForgotten = true;
      connection.tell({ type: 'pause', reason: FORGOTTEN });
    },
  };
}
