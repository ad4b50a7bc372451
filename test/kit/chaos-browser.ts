/** The processes of a chaos world: pages, workers of several builds, the hubs in them, and what can happen to each. */
import type { FlagFilter } from '../../src/core/model.ts';
import { leads } from './chaos-promises.ts';
import type { ServedStream } from './chaos-server.ts';
import { type ChaosTab, type ChaosTabOptions, createChaosTab, type PlacedHub } from './chaos-tab.ts';
import type { createHubWorld, WorldAgent } from './hub-world.ts';

/** Where the hubs run: all in workers, each in its tab, or the first two tabs one way and the others the other way. */
export type Hosts = 'workers' | 'tabs' | 'mixed';

export type Slot = 0 | 1 | 2 | 3;
export const SLOTS: readonly Slot[] = [0, 1, 2, 3];

export interface ChaosBrowserOptions {
  readonly hosts: Hosts;
  readonly world: ReturnType<typeof createHubWorld>;
  readonly filterOf: (slot: Slot) => FlagFilter | undefined;
  readonly tab: Pick<ChaosTabOptions, 'isTrue' | 'accessToken' | 'onSignIn' | 'onStored' | 'onBroken'>;
  /** Tells a hub that what is stored may be gone; it is called as the hub's process can hear. */
  readonly whenStorageIsLost: (agent: WorldAgent, call: () => void) => void;
  /** Streams that neither side has ended. */
  readonly streams: () => readonly ServedStream[];
  readonly settle: () => Promise<void>;
}

/** A worker script as it was deployed, and the process that runs it. */
interface Build {
  readonly protocol: number;
  agent: WorldAgent | undefined;
  hub: PlacedHub | undefined;
}

export type ChaosBrowser = ReturnType<typeof createChaosBrowser>;

export function createChaosBrowser(options: ChaosBrowserOptions) {
  const { hosts, world, settle } = options;
  const agents = new Set<WorldAgent>();
  const tabs = new Map<Slot, ChaosTab>();
  let hubs: PlacedHub[] = [];
  let builds: Build[] = [{ protocol: 1, agent: undefined, hub: undefined }];
  let count = 0;

  const startAgent = (): WorldAgent => {
    const agent = world.startAgent();
    agents.add(agent);
    agent.death.addEventListener('abort', () => agents.delete(agent));
    return agent;
  };

  const place = (agent: WorldAgent, protocol: number, bootId = agent.name): PlacedHub => {
    const hub = { agent, world: world.startHub({ agent, protocol, bootId }) };
    options.whenStorageIsLost(agent, () => hub.world.hub.storageLost());
    hubs = [...openHubs(), hub];
    return hub;
  };

  const openHubs = (): PlacedHub[] => hubs.filter((hub) => !hub.world.isClosed);

  const workerHub = (build: Build): PlacedHub => {
    if (build.agent === undefined || build.agent.life.isDead) build.agent = startAgent();
    if (build.hub === undefined || build.hub.world.isClosed) build.hub = place(build.agent, build.protocol);
    return build.hub;
  };

  const isOwnHost = (slot: Slot): boolean => hosts === 'tabs' || (hosts === 'mixed' && slot >= 2);

  const isAwake = (tab: ChaosTab): boolean => !tab.isSuspended && !tab.agent.life.isFrozen;
  const withTab = (slot: Slot, use: (tab: ChaosTab) => unknown): unknown => {
    const tab = tabs.get(slot);
    return tab === undefined ? undefined : use(tab);
  };
  const withAwake = (slot: Slot, use: (tab: ChaosTab) => unknown): unknown =>
    withTab(slot, (tab) => (isAwake(tab) ? use(tab) : undefined));

  const thaw = async (agent: WorldAgent | undefined): Promise<void> => {
    if (agent === undefined) return;
    await agent.life.thaw();
    await settle();
    const streamsOn = options.streams().some((stream) => stream.agent === agent && !leads(agent));
    if (streamsOn) options.tab.onBroken(`${agent.name} streams on without the lock after it woke`);
  };

  const actions = {
    open: (slot: Slot) => {
      if (tabs.has(slot)) return;
      count += 1;
      const agent = startAgent();
      const build = builds.at(-1) as Build;
      const ownHub = (): PlacedHub => {
        count += 1;
        return place(agent, build.protocol, `${agent.name}-${count}`);
      };
      const reachHub = isOwnHost(slot) ? ownHub : () => workerHub(build);
      const filter = options.filterOf(slot);
      tabs.set(
        slot,
        createChaosTab({ ...options.tab, name: `tab${slot}-${count}`, agent, filter, reachHub }),
      );
    },
    close: (slot: Slot) =>
      withAwake(slot, (tab) => {
        tabs.delete(slot);
        const { hub } = tab;
        tab.close();
        if (isOwnHost(slot)) hub?.world.close();
        tab.agent.die();
      }),
    crash: (slot: Slot) =>
      withTab(slot, (tab) => {
        tabs.delete(slot);
        tab.agent.die();
      }),
    /** The page hangs, and with it a hub in it. */
    freeze: (slot: Slot) => withAwake(slot, (tab) => tab.agent.life.freeze()),
    thaw: (slot: Slot) => withTab(slot, (tab) => (tab.isSuspended ? undefined : thaw(tab.agent))),
    /** Into the back/forward cache. */
    suspend: (slot: Slot, locksAre: 'kept' | 'lost') =>
      withAwake(slot, async (tab) => {
        const { hub } = tab;
        tab.suspend();
        if (isOwnHost(slot)) hub?.world.close();
        await settle();
        tab.agent.life.freeze();
        if (locksAre === 'lost') tab.agent.locks.loseAll();
      }),
    resume: (slot: Slot) =>
      withTab(slot, async (tab) => {
        if (!tab.isSuspended) return;
        await thaw(tab.agent);
        tab.resume();
      }),
    wake: (slot: Slot, why: 'online' | 'offline' | 'visible') =>
      withAwake(slot, (tab) => tab.call((hub) => hub.wake(why))),
    'crash worker': (which: 'old' | 'new') => {
      for (const build of which === 'old' ? builds.slice(0, -1) : builds.slice(-1)) build.agent?.die();
    },
    'freeze worker': () => builds.at(-1)?.agent?.life.freeze(),
    'thaw worker': async () => {
      for (const build of builds) await thaw(build.agent);
    },
    /** Tabs that are opened from now on run another build. */
    deploy: (protocol: 'same protocol' | 'newer protocol') => {
      const newest = Math.max(...builds.map((build) => build.protocol));
      const next = protocol === 'newer protocol' ? newest + 1 : newest;
      builds = [...builds, { protocol: next, agent: undefined, hub: undefined }];
    },
  };

  return {
    actions,
    agents,
    tabs,
    withAwake,
    system: world.system,
    locks: world.locks,
    /** Those that live. */
    get hubs() {
      return openHubs();
    },
  };
}
