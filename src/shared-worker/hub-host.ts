/** Chooses the concrete parts of a hub that runs in a SharedWorker, and keeps one hub per scope. */
import { channelName, hubLockName, scopeOf, streamLockName } from '../core/state/scope.ts';
import type { AttachRequest } from '../hub/contract.ts';
import { createHub, type Hub } from '../hub/hub.ts';
import type { Announcement, Announcements } from '../hub/stream-lock.ts';
import { openIndexedDbStore } from '../storage/indexeddb.ts';
import { createResilientStore } from '../storage/resilient.ts';
import { withDeadline } from '../system/deadline.ts';
import { findLocks, type HeldLock, holdLock } from '../system/locks.ts';
import type { System } from '../system/system.ts';
import { createTrace } from '../system/trace.ts';
import { createSseTransport } from '../transport/sse.ts';

export interface HubHost {
  readonly bootId: string;
  readonly system: System;
  readonly locks: LockManager | undefined;
  /** The hub of this scope, made when it is first asked for. Settles when the hub's life can be watched by its lock. */
  hubFor(request: AttachRequest): Promise<Hub>;
}

/** An IndexedDB that has not answered by then never will. */
const STORE_DEADLINE_MS = 2_500;

export function createHubHost(system: System): HubHost {
  const bootId = system.newId();
  const locks = findLocks();
  const hubs = new Map<string, Promise<Hub>>();

  const makeHub = async (scope: string, request: AttachRequest): Promise<Hub> => {
    const { trace, entries } = createTrace(system.nowMs);
    const announcements = openAnnouncements(scope);
    const store = createResilientStore({
      open: (onLost) => openIndexedDbStore(scope, onLost),
      within: (promise, what) => withDeadline(promise, { system, afterMs: STORE_DEADLINE_MS, what }),
      onMemory: (reason) => trace('storage', 'memory', { reason }),
    });
    const life = await hold(locks, hubLockName(scope, bootId));
    const hub = createHub({
      bootId,
      scope,
      url: request.url,
      policy: request.policy,
      transport: createSseTransport({ fetch: (input, init) => fetch(input, init), system }),
      store,
      system,
      trace,
      traceEntries: entries,
      claimStream: (events) => holdLock(locks, streamLockName(scope), events),
      announcements,
      // A page can open one namespace after another; those it has left must not pile up.
      onIdle: () => {
        hubs.delete(scope);
        hub.close();
        life.release();
      },
    });
    return hub;
  };

  return {
    bootId,
    system,
    locks,
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
  };
}

/** Settles when the lock is held. */
function hold(locks: LockManager | undefined, name: string): Promise<HeldLock> {
  return new Promise((resolve) => {
    const lock: HeldLock = holdLock(locks, name, { onHeld: () => queueMicrotask(() => resolve(lock)) });
  });
}

function openAnnouncements(scope: string): Announcements {
  if (typeof BroadcastChannel === 'undefined') {
    return { post: () => {}, onAnnouncement: () => {}, close: () => {} };
  }
  const channel = new BroadcastChannel(channelName(scope));
  return {
    post: (announcement) => channel.postMessage(announcement),
    onAnnouncement: (listener) => {
      channel.onmessage = ({ data }) => {
        if (isAnnouncement(data)) listener(data);
      };
    },
    close: () => channel.close(),
  };
}

/** Other versions post here too; what is not understood is left alone. */
function isAnnouncement(value: unknown): value is Announcement {
  const type = (value as { type?: unknown } | null)?.type;
  return type === 'committed' || type === 'forgotten';
}
