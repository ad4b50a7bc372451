/**
 * A browser with four tabs, and all that can go wrong around it: one action per fault. It watches what users are promised at every moment,
 * and `broken` says which promise did not hold.
 */
import { type ChaosBrowser, createChaosBrowser, type Hosts, SLOTS, type Slot } from './chaos-browser.ts';
import { createChaosCurrency } from './chaos-currency.ts';
import { createChaosFaults } from './chaos-faults.ts';
import { type Filters, filterOf } from './chaos-filters.ts';
import { nameOf } from './chaos-moments.ts';
import { createChaosPromises } from './chaos-promises.ts';
import { createChaosServer } from './chaos-server.ts';
import { createChaosStorage, type StorageKind } from './chaos-storage.ts';
import type { ChaosTab, PlacedHub, Question } from './chaos-tab.ts';
import { settle as settleTurns } from './fake-system.ts';
import { createHubWorld } from './hub-world.ts';

export interface ChaosOptions {
  readonly hosts: Hosts;
  readonly storage: StorageKind;
  readonly filters: Filters;
  /** Seed of the chance that the hubs see. */
  readonly chance: number;
}

const BEAT_EVERY_MS = 15_000;
/** Longer than an answer takes that comes late. */
const LATE_ANSWERS_MS = 5_000;
/**
 * The longest anything may take once all faults have ended: a stream that was cut three times at once is tried again after 5 minutes,
 * and that attempt may follow one that hangs for 15 s, with a backoff of up to 30 s.
 */
export const CURRENT_WITHIN_MS = 345_000;
/** The longest that a hub without tabs goes on: its grace time, and requests that stall. */
const QUIET_WITHIN_MS = 65_000;

export function createChaosWorld({ hosts, storage, filters, chance }: ChaosOptions) {
  const broken: string[] = [];
  const onBroken = (promise: string): void => void broken.push(promise);
  const store = createChaosStorage(storage);
  const promises = createChaosPromises({
    filters,
    store,
    server: () => server,
    browser: (): ChaosBrowser => browser,
    onBroken,
  });
  const world = createHubWorld({
    openStore: store.openStore,
    transportOf: (agent) => server.transportOf(agent),
    random: chanceFrom(chance),
  });
  const { system, locks } = world;
  const server = createChaosServer(system, promises.checkStreams);
  const { flags } = server;

  const settle = async (): Promise<void> => {
    for (let turns = 0; turns < 1_000; turns += 1) {
      await settleTurns();
      if (store.pending === 0) return;
    }
    onBroken('storage does not answer');
  };

  const browser: ChaosBrowser = createChaosBrowser({
    hosts,
    world,
    filterOf: (slot) => filterOf(filters, slot),
    tab: {
      isTrue: promises.isTrue,
      accessToken: () => server.token,
      onSignIn: promises.noteSignIn,
      onStored: promises.noteStored,
      onBroken,
    },
    whenStorageIsLost: store.whenLost,
    streams: () => server.open,
    settle,
  });
  const { tabs, withAwake } = browser;
  const { areAllCurrent, describe } = createChaosCurrency(tabs, server);
  const faults = createChaosFaults({
    server,
    store,
    system,
    isFiltered: filters === 'by tab',
    onWiped: promises.noteWiped,
  });
  let hasForgotten = false;
  /** Questions that hubs have heard and not answered. */
  const open = new Map<object, PlacedHub>();
  let sinceBeatMs = 0;

  const pass = async (ms: number): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; ) {
      const stepMs = Math.min(leftMs, BEAT_EVERY_MS - sinceBeatMs);
      await system.advance(stepMs);
      leftMs -= stepMs;
      sinceBeatMs += stepMs;
      if (sinceBeatMs < BEAT_EVERY_MS) continue;
      sinceBeatMs = 0;
      server.beat();
      await settle();
    }
  };

  const actions = {
    ...browser.actions,
    ...faults,
    forget: (slot: Slot) =>
      withAwake(slot, async (tab) => {
        let isDone = false;
        hasForgotten = true;
        // A hub that hangs hears it when it goes on.
        tab.call(async (hub) => {
          isDone = (await hub.forget()).ok;
          // Also when it has failed here: the leader, which was told, may have wiped or still wipe.
          promises.noteWiped();
        });
        await settle();
        if (isDone) promises.noteForgotten();
      }),
    /** Also how somebody signs in again. */
    refresh: (slot: Slot) =>
      withAwake(slot, (tab) => {
        promises.noteSignIn();
        const question: Question = {
          onHeard: (hub) => void open.set(question, hub),
          onAnswered: () => void open.delete(question),
          onConfirmed: (id) => id !== null && promises.noteConfirmed(tab, id),
        };
        tab.refresh(question);
      }),
    wait: pass,
  };

  const check = async (): Promise<void> => {
    await settle();
    await promises.check();
  };

  const waitUntilCurrent = async (which: (tab: ChaosTab) => boolean): Promise<void> => {
    for (let passedMs = 0; passedMs <= CURRENT_WITHIN_MS; passedMs += 5_000) {
      await check();
      if (areAllCurrent(which)) return;
      await pass(5_000);
    }
    onBroken(`not current: ${describe()}; server: ${nameOf(flags.now)}, streams: ${server.open.length}`);
  };

  const mendAll = (): void => {
    faults['mend storage']();
    faults.restore();
    faults.snapshots('work');
    faults['catch up']();
  };

  const wakeAll = async (): Promise<void> => {
    await actions['thaw worker']();
    for (const slot of SLOTS) {
      await actions.thaw(slot);
      await actions.resume(slot);
      await settle();
      actions.open(slot);
    }
    await settle();
    if (hasForgotten) actions.refresh(0);
  };

  return {
    take: async ([name, ...args]: Step): Promise<void> => {
      await (actions[name] as (...args: unknown[]) => unknown)(...args);
      await check();
    },
    broken,
    /** All faults end; those that hang stay so for a while, and must not keep the others from being current. */
    recover: async (): Promise<void> => {
      mendAll();
      const reached = [...tabs].find(([, { isReached }]) => isReached);
      // After `forget` nothing comes until somebody asks.
      if (hasForgotten && reached !== undefined) actions.refresh(reached[0]);
      await waitUntilCurrent(({ isReached }) => isReached);
      await wakeAll();
      await waitUntilCurrent(() => true);
      // What was asked before the faults ended must not be waited for by what comes now.
      await pass(LATE_ANSWERS_MS);
    },
    lastEdit: async (): Promise<void> => {
      faults.edit('a', 'update', 'arrives');
      await check();
      if (!areAllCurrent(() => true))
        onBroken(`a last edit did not reach all: ${describe()}; server: ${nameOf(flags.now)}`);
      if (server.open.length !== 1) onBroken(`${server.open.length} streams in the end`);
      const counted = [...tabs.values()].map(({ status }) => status?.tabs);
      if (counted.some((each) => each !== tabs.size))
        onBroken(`${tabs.size} tabs live, and they are told: ${counted}`);
    },
    closeAll: async (): Promise<void> => {
      for (const slot of SLOTS) actions.close(slot);
      await pass(QUIET_WITHIN_MS);
      await settle();
      const unanswered = [...open.values()].filter(({ agent }) => !agent.life.isDead);
      if (unanswered.length > 0)
        onBroken(`${unanswered.length} tabs that asked for the newest wait for ever`);
      if (server.open.length + system.waiting + locks.count + locks.waiting > 0)
        onBroken(
          `left over: ${server.open.length} streams, ${system.waiting} timers, ${locks.count} locks, ${locks.waiting} requests for locks`,
        );
    },
  };

  type Actions = typeof actions;
  type Step = { [Name in keyof Actions]: readonly [Name, ...Parameters<Actions[Name]>] }[keyof Actions];
}

export type ChaosWorld = ReturnType<typeof createChaosWorld>;
/** An action and its arguments. */
export type Step = Parameters<ChaosWorld['take']>[0];

/** Numbers from 0 up to 1 that look random. */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
