/**
 * One browser in which several hubs live side by side, as workers of different builds or as tabs that host one each: real hubs, with
 * fake locks, channel, clock and network between them, and one storage.
 */
import type { EventId, FlagFilter } from '../../src/core/model.ts';
import { hubLockName, streamLockName } from '../../src/core/state/scope.ts';
import type { Delivery } from '../../src/hub/contract.ts';
import { createHub, type Hub } from '../../src/hub/hub.ts';
import { createMirror, type Mirror } from '../../src/page/mirror.ts';
import type { FlagStore } from '../../src/storage/contract.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { holdLock, whenLockIsFree } from '../../src/system/locks.ts';
import type { System } from '../../src/system/system.ts';
import type { TraceEntry } from '../../src/system/trace.ts';
import type { Transport } from '../../src/transport/contract.ts';
import { type AgentLife, createAgentLife } from './chaos-agent.ts';
import { createFakeLocks, type FakeAgentLocks } from './fake-locks.ts';
import { createFakePeers } from './fake-peers.ts';
import { createFakeSystem } from './fake-system.ts';
import { createFakeTransport } from './fake-transport.ts';

export const SCOPE = 'world@http://server';

export interface HubWorldOptions {
  /** `none`: every hub has only its own memory. Default `shared`. */
  readonly storage?: 'shared' | 'none';
  /** What a hub stores in, instead of `storage`. */
  readonly openStore?: (agent: WorldAgent) => FlagStore;
  /** What a hub asks the server with. Default: `transport`. */
  readonly transportOf?: (agent: WorldAgent) => Transport;
  readonly random?: () => number;
}

/** A page or a worker. */
export interface WorldAgent {
  readonly name: string;
  readonly life: AgentLife;
  readonly locks: FakeAgentLocks;
  /** Aborted when the process is gone. */
  readonly death: AbortSignal;
  /** The process dies: no word, locks free, streams cut. */
  die(): void;
}

export interface WorldHub {
  readonly bootId: string;
  readonly hub: Hub;
  readonly agent: FakeAgentLocks;
  readonly trace: readonly TraceEntry[];
  readonly isLeader: boolean;
  readonly isClosed: boolean;
  /** A tab joins this hub. */
  attach(tab?: WorldTabOptions): WorldTab;
  /** Hears nothing more until it is set to hear again; its stream stays. */
  setDeaf(isDeaf: boolean): void;
  close(): void;
  /** As `WorldAgent.die`. */
  crash(): void;
}

export interface WorldTabOptions {
  readonly filter?: FlagFilter;
  readonly held?: EventId;
  readonly accessToken?: () => Promise<string | undefined>;
}

export interface WorldTab {
  readonly tabId: string;
  readonly mirror: Mirror;
  readonly deliveries: readonly Delivery[];
  readonly status: Delivery['status'] | undefined;
  readonly revision: number | undefined;
}

export interface StartHub {
  readonly protocol?: number;
  /** Where it runs. Default: a new one, for this hub alone. */
  readonly agent?: WorldAgent;
  /** Default: the agent's name, as the hubs of one worker share theirs. */
  readonly bootId?: string;
}

export function createHubWorld(options: HubWorldOptions = {}) {
  const system = createFakeSystem();
  const transport = createFakeTransport();
  const locks = createFakeLocks();
  const peers = createFakePeers();
  const database = createMemoryStore();
  const storeOf = (agent: WorldAgent): FlagStore =>
    options.storage === 'none' ? createMemoryStore() : sharedStore(database, agent.life);
  const { openStore = storeOf, transportOf = (agent) => mortal(transport, agent.death) } = options;
  let agents = 0;

  const startAgent = (): WorldAgent => {
    agents += 1;
    const life = createAgentLife();
    const death = new AbortController();
    const agentLocks = locks.agent(life.run);
    return {
      name: `hub${agents}`,
      life,
      locks: agentLocks,
      death: death.signal,
      die: () => {
        life.die();
        death.abort();
        agentLocks.die();
      },
    };
  };

  const startHub = ({ protocol = 1, agent = startAgent(), bootId = agent.name }: StartHub = {}): WorldHub => {
    const channel = peers.open(agent.life.run);
    agent.death.addEventListener('abort', channel.die);
    const entries: TraceEntry[] = [];
    let isClosed = false;
    let tabs = 0;
    const lifeLock = holdLock(agent.locks.locks, hubLockName(SCOPE, bootId), { onHeld: () => {} });
    const hub = createHub({
      bootId,
      scope: SCOPE,
      url: 'http://server',
      policy: {},
      protocol,
      transport: transportOf(agent),
      store: openStore(agent),
      system: systemOf(system, agent, options.random),
      trace: (by, what, facts) => entries.push({ atMs: system.nowMs(), by, what, ...(facts && { facts }) }),
      traceEntries: entries,
      claimStream: (claim, how) => holdLock(agent.locks.locks, streamLockName(SCOPE), claim, how),
      peers: channel,
      whenHubIsGone: (peerId, call) => whenLockIsFree(agent.locks.locks, hubLockName(SCOPE, peerId), call),
      onIdle: () => close(),
    });
    const close = (): void => {
      isClosed = true;
      hub.close();
      lifeLock.release();
    };
    return {
      bootId,
      hub,
      agent: agent.locks,
      trace: entries,
      get isLeader() {
        return hub.debug().status.isLeader;
      },
      get isClosed() {
        return isClosed || agent.life.isDead;
      },
      attach: (tab = {}) => {
        tabs += 1;
        return attachTab(hub, `${bootId}-tab${tabs}`, tab);
      },
      setDeaf: channel.setDeaf,
      close,
      crash: agent.die,
    };
  };

  return { system, transport, locks, peers, database, startAgent, startHub };
}

/** The clock of an agent: what falls due while it hangs is called when it goes on. Its timers die with it. */
function systemOf(system: System, { life, death }: WorldAgent, random = system.random): System {
  const stops = new Set<() => void>();
  death.addEventListener('abort', () => {
    for (const stop of stops) stop();
  });
  return {
    ...system,
    random,
    after: (delayMs, call) => {
      let isStopped = false;
      const stopTimer = system.after(delayMs, () =>
        life.run(() => {
          stops.delete(stop);
          if (!isStopped) call();
        }),
      );
      const stop = (): void => {
        isStopped = true;
        stops.delete(stop);
        stopTimer();
      };
      stops.add(stop);
      return stop;
    },
  };
}

/** The requests of a process end with it. */
function mortal(transport: Transport, death: AbortSignal): Transport {
  return {
    stream: (request, listener) =>
      transport.stream({ ...request, signal: AbortSignal.any([request.signal, death]) }, listener),
    fetchSnapshot: transport.fetchSnapshot,
  };
}

function attachTab(
  hub: Hub,
  tabId: string,
  { filter, held, accessToken = async () => 'token' }: WorldTabOptions,
): WorldTab {
  const mirror = createMirror();
  const deliveries: Delivery[] = [];
  hub.attach({
    tabId,
    filter,
    held,
    sink: {
      deliver: async (delivery) => {
        deliveries.push(delivery);
        if (delivery.update === undefined) return;
        if (mirror.apply(delivery.update) === 'gap') hub.resume(tabId, mirror.held);
      },
      accessToken,
    },
  });
  return {
    tabId,
    mirror,
    deliveries,
    get status() {
      return deliveries.at(-1)?.status;
    },
    get revision() {
      return mirror.held?.revision;
    },
  };
}

/** One database that many hubs have open. A dead process writes nothing more. */
function sharedStore(database: FlagStore, life: AgentLife): FlagStore {
  const alive = <T>(work: () => Promise<T>): Promise<T> => (life.isDead ? new Promise(() => {}) : work());
  return {
    kind: 'persistent',
    load: () => alive(database.load),
    lead: (above) => alive(() => database.lead(above)),
    saveSnapshot: (held, facts) => alive(() => database.saveSnapshot(held, facts)),
    appendChanges: (changes, held, facts) => alive(() => database.appendChanges(changes, held, facts)),
    confirm: (facts) => alive(() => database.confirm(facts)),
    clear: (asLeader) => alive(() => database.clear(asLeader)),
    close: () => {},
  };
}
