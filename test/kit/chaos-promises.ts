/** What users are promised at every moment (`DESIGN` §1), checked over a whole browser; what does not hold is said to `onBroken`. */
import type { EventId, Flag } from '../../src/core/model.ts';
import { streamLockName } from '../../src/core/state/scope.ts';
import type { ChaosBrowser } from './chaos-browser.ts';
import { type Filters, isSeenThroughOne } from './chaos-filters.ts';
import { isOlder, nameOf } from './chaos-moments.ts';
import type { ChaosServer } from './chaos-server.ts';
import type { ChaosStorage } from './chaos-storage.ts';
import type { ChaosTab } from './chaos-tab.ts';
import { SCOPE, type WorldAgent } from './hub-world.ts';

export interface ChaosPromises {
  /** At most one stream, at this very moment. */
  checkStreams(): void;
  /** All that can be seen once nothing moves any more. */
  check(): Promise<void>;
  isTrue(moment: EventId, flags: ReadonlyMap<string, Flag>): boolean;
  /** A tab was told that this lies in storage. */
  noteStored(id: EventId): void;
  /** What was stored is gone, or may go. */
  noteWiped(): void;
  /** Whoever asked has been told that all is forgotten. */
  noteForgotten(): void;
  noteSignIn(): void;
  /** The server has confirmed this to a tab that asked for the newest. */
  noteConfirmed(tab: ChaosTab, id: EventId): void;
}

export interface ChaosPromisesOptions {
  readonly filters: Filters;
  readonly store: ChaosStorage;
  readonly server: () => ChaosServer;
  readonly browser: () => ChaosBrowser;
  readonly onBroken: (promise: string) => void;
}

const TIMERS_PER_AGENT = 14;
const LOCK_REQUESTS_PER_AGENT = 10;

export function createChaosPromises(options: ChaosPromisesOptions): ChaosPromises {
  const { filters, store, server, browser, onBroken } = options;
  /** The newest state that a tab was told lies in storage. */
  let stored: EventId | undefined;
  /** Storage was wiped when this was the newest there was. */
  let wiped: EventId | undefined;
  let isForgotten = false;
  const confirmed = new Map<ChaosTab, EventId>();

  const isTrue: ChaosPromises['isTrue'] = (moment, flags) =>
    isSeenThroughOne(filters, { shown: flags, truth: server().flags.at(moment) });

  const checkStreams = (): void => {
    const counted = server().open.filter(({ agent }) => !isOrphan(agent));
    if (counted.length > 1) onBroken(`${counted.length} streams: ${counted.map(({ agent }) => agent.name)}`);
  };

  const checkStored = async (): Promise<void> => {
    if (store.kind === 'none') return;
    const now = await store.peek();
    if (now !== undefined) {
      const { held, filterKey } = now;
      const truth = server().flags.at(held);
      if (!isSeenThroughOne(filters, { shown: held.flags, truth, filterKey }))
        onBroken(`storage holds at ${nameOf(held)} what the server never had`);
    }
    const isThere = (id: EventId): boolean => now !== undefined && !isOlder(now.held, id);
    const there = now ? nameOf(now.held) : 'nothing';
    if (stored !== undefined && !isThere(stored))
      onBroken(`shown as stored: ${nameOf(stored)}, in storage: ${there}`);
    for (const id of saidToBeStored()) {
      if (!isThere(id)) onBroken(`a leader says that ${nameOf(id)} is stored, in storage: ${there}`);
    }
  };

  /** Also after the site's data were deleted: the hub hears of it. */
  const saidToBeStored = (): EventId[] =>
    browser()
      .hubs.filter(({ agent, world }) => !agent.life.isFrozen && world.isLeader)
      .flatMap(({ world }) => {
        const { storage, epoch, revision } = world.hub.debug().status;
        const isSaid = storage === 'persistent' && epoch !== undefined && revision !== undefined;
        return isSaid ? [{ epoch, revision }] : [];
      });

  const checkForgotten = async (): Promise<void> => {
    if (!isForgotten) return;
    for (const tab of browser().tabs.values()) {
      if (tab.isReached && tab.held !== undefined)
        onBroken(`${tab.name} shows ${nameOf(tab.held)} after forget`);
    }
    const streaming = server().open.filter(({ agent }) => !agent.life.isFrozen);
    if (streaming.length > 0) onBroken('a stream is open after forget');
    if (store.kind !== 'none' && (await store.peek()) !== undefined)
      onBroken('flags are stored after forget');
  };

  const checkConfirmed = (): void => {
    for (const [tab, id] of confirmed) {
      if (tab.isReached && !isForgotten && (tab.held === undefined || isOlder(tab.held, id)))
        onBroken(`${tab.name} was told that the server is at ${nameOf(id)} and does not show it`);
    }
    confirmed.clear();
  };

  const checkGrowth = (): void => {
    const { agents, tabs, system, locks } = browser();
    const bound = agents.size + tabs.size;
    if (system.waiting > TIMERS_PER_AGENT * bound + 5) onBroken(`${system.waiting} timers wait`);
    if (locks.waiting > LOCK_REQUESTS_PER_AGENT * bound) onBroken(`${locks.waiting} requests for locks wait`);
  };

  return {
    isTrue,
    checkStreams,
    check: async () => {
      checkStreams();
      checkGrowth();
      checkConfirmed();
      await checkStored();
      await checkForgotten();
    },
    noteStored: (id) => {
      if (wiped !== undefined && !isOlder(wiped, id)) return;
      if (stored === undefined || isOlder(stored, id)) stored = id;
    },
    noteWiped: () => {
      wiped = server().flags.now;
      stored = undefined;
      confirmed.clear();
    },
    noteForgotten: () => {
      isForgotten = true;
    },
    noteSignIn: () => {
      isForgotten = false;
    },
    noteConfirmed: (tab, id) => void confirmed.set(tab, id),
  };
}

/** A thread that hangs cannot end a stream whose lock was stolen; that one is not counted until it wakes. */
export function isOrphan(agent: WorldAgent): boolean {
  return agent.life.isFrozen && !leads(agent);
}

export function leads(agent: WorldAgent): boolean {
  return agent.locks.holds(streamLockName(SCOPE));
}
