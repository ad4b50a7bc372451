/** Chooses the concrete parts of a hub, and keeps one hub per scope: in a SharedWorker, or in a tab where there is none. */
import { hubLockName, scopeOf, streamLockName } from '../core/state/scope.ts';
import type { AttachRequest } from '../hub/contract.ts';
import { createHub, type Hub } from '../hub/hub.ts';
import { openIndexedDbStore } from '../storage/indexeddb.ts';
import { createResilientStore } from '../storage/resilient.ts';
import { withDeadline } from '../system/deadline.ts';
import { findLocks, holdLock, takeLock, whenLockIsFree } from '../system/locks.ts';
import type { System } from '../system/system.ts';
import { createTrace } from '../system/trace.ts';
import { createSseTransport } from '../transport/sse.ts';
import { openPeerChannel } from './peer-channel.ts';

export interface HubHost {
  readonly bootId: string;
  readonly system: System;
  /**
   * Tells when a tab has died. `undefined` where there is nothing to tell: without Web Locks, and in a tab, which dies with its host. There a
   * lock that were granted to the page in the back/forward cache would throw it out.
   */
  readonly tabLocks: LockManager | undefined;
  /** The hub of this scope, made when it is first asked for. Settles when the hub's life can be watched by its lock. */
  hubFor(request: AttachRequest): Promise<Hub>;
  /** Closes every hub at once: streams end and locks are free when it returns. */
  close(): void;
}

export interface HubHostOptions {
  readonly system: System;
  /**
   * Without Web Locks nobody can be elected, so each tab that hosts a hub would hold a stream of its own: it polls instead. A
   * SharedWorker is one for all tabs and streams also then.
   */
  readonly runsIn: 'shared-worker' | 'tab';
}

/** An IndexedDB that has not answered by then never will. */
const STORE_DEADLINE_MS = 2_500;

export function createHubHost({ system, runsIn }: HubHostOptions): HubHost {
  const bootId = system.newId();
  const locks = findLocks();
  const hubs = new Map<string, Promise<Hub>>();
  const open = new Set<() => void>();
  let isClosed = false;

  const makeHub = async (scope: string, request: AttachRequest): Promise<Hub> => {
    const { trace, entries } = createTrace(system.nowMs);
    const life = await takeLock(locks, hubLockName(scope, bootId));
    const store = createResilientStore({
      open: (onLost) => openIndexedDbStore(scope, onLost),
      within: (promise, what) => withDeadline(promise, { system, afterMs: STORE_DEADLINE_MS, what }),
      onLost: () => {
        trace('storage', 'lost');
        hub.storageLost();
      },
      onMemory: (reason) => trace('storage', 'memory', { reason }),
    });
    const close = (): void => {
      if (!open.delete(close)) return;
      hubs.delete(scope);
      hub.close();
      life.release();
    };
    const hub = createHub({
      bootId,
      scope,
      url: request.url,
      policy: { ...request.policy, ...(locks === undefined && runsIn === 'tab' && { streams: false }) },
      transport: createSseTransport({ fetch: (input, init) => fetch(input, init), system }),
      store,
      system,
      trace,
      traceEntries: entries,
      claimStream: (claim, how) => holdLock(locks, streamLockName(scope), claim, how),
      peers: openPeerChannel(scope),
      whenHubIsGone: (peerId, call) => whenLockIsFree(locks, hubLockName(scope, peerId), call),
      // A page can open one namespace after another; those it has left must not pile up.
      onIdle: close,
    });
    open.add(close);
    if (isClosed) close();
    return hub;
  };

  return {
    bootId,
    system,
    tabLocks: runsIn === 'tab' ? undefined : locks,
    hubFor: (request) => {
      const scope = scopeOf(request.namespace, request.url);
      const known = hubs.get(scope);
      if (known !== undefined) return known;
      const hub = makeHub(scope, request);
      hubs.set(scope, hub);
      // A hub that could not be made is made anew for the next tab that asks.
      hub.catch(() => hubs.delete(scope));
      return hub;
    },
    close: () => {
      isClosed = true;
      for (const close of [...open]) close();
    },
  };
}
