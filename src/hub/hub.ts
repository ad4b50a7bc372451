/**
 * The one owner of the stream in this browser. It wires and holds no rule of its own:
 *
 *   transport ─messages─► replica (reduce, commit) ─updates─► tab channels ─deliveries─► tabs
 *       ▲                    │ gap: snapshot   ▲  │
 *   connection machine ◄─────┘                 │  └─► peers: the hubs that follow this one
 *   (quiet while starting, without tabs,       └───── or the hub that this one follows
 *    forgotten, or not leading)
 */

import type { ConnectionPolicy } from '../core/connection/policy.ts';
import { DEFAULT_POLICY } from '../core/connection/policy.ts';
import type { EventId, FlagFilter } from '../core/model.ts';
import { HUB_PROTOCOL } from '../core/protocol/hub-protocol.ts';
import type { HubStatus } from '../core/state/status.ts';
import type { Update } from '../core/state/update.ts';
import type { FlagStore } from '../storage/contract.ts';
import type { System } from '../system/system.ts';
import type { Trace, TraceEntry } from '../system/trace.ts';
import type { Transport } from '../transport/contract.ts';
import { refreshAnswer } from './answers.ts';
import { createConnection } from './connection.ts';
import type { Answer, HubDebug, TabSink } from './contract.ts';
import { createLeadership, type Leadership, NOT_LEADING } from './leadership.ts';
import type { PeerChannel, WhenHubIsGone } from './peers.ts';
import { createReplica } from './replica.ts';
import { createReplicatedFilter } from './replicated-filter.ts';
import { createResync } from './resync.ts';
import { createSignOut } from './sign-out.ts';
import type { ClaimStream } from './stream-lock.ts';
import { createTabs } from './tabs.ts';

export interface HubParts {
  readonly bootId: string;
  readonly scope: string;
  readonly url: string;
  readonly policy: Partial<ConnectionPolicy>;
  readonly transport: Transport;
  readonly store: FlagStore;
  readonly system: System;
  readonly trace: Trace;
  readonly traceEntries: readonly TraceEntry[];
  readonly claimStream: ClaimStream;
  readonly peers: PeerChannel;
  readonly whenHubIsGone: WhenHubIsGone;
  /** Among hubs of different builds the newest protocol leads. Default: this build's. */
  readonly protocol?: number;
  /** No tab has been attached for a while: nobody needs this hub. */
  readonly onIdle: () => void;
}

export interface AttachedTab {
  readonly tabId: string;
  readonly sink: TabSink;
  readonly filter: FlagFilter | undefined;
  readonly held: EventId | undefined;
  /** Its flags were wiped by a sign-out; to attach it is no sign-in. Default false. */
  readonly isForgotten?: boolean;
}

export interface Hub {
  attach(tab: AttachedTab): void;
  detach(tabId: string): void;
  suspend(tabId: string): void;
  resume(tabId: string, held: EventId | undefined): void;
  wake(why: string): void;
  refresh(): Promise<Answer<EventId | null>>;
  forget(): Promise<Answer<null>>;
  debug(): HubDebug;
  /** The database may have been deleted under this hub: what is held has to be stored anew. */
  storageLost(): void;
  /** Stops the stream and lets go of everything. */
  close(): void;
}

/** With no active tab for this long the stream is closed. */
const NO_TAB_GRACE_MS = 10_000;
/** Heartbeats renew the age of the data in the tabs at most this often. */
const SHOW_AGE_EVERY_MS = 2_000;

export function createHub(parts: HubParts): Hub {
  const { bootId, scope, url, transport, store, system, trace } = parts;
  const bootedAtMs = system.nowMs();
  const policy = { ...DEFAULT_POLICY, ...parts.policy };
  let leadership: Leadership | undefined;
  let stopGrace = (): void => {};
  let isAgeDue = false;
  let shownSource: HubStatus['source'] = 'none';
  let stopAge = (): void => {};
  const counts = { malformed: 0, sentLengthPerTab: 0 };

  const replica = createReplica({
    store,
    system,
    trace,
    onUpdate: (update) => {
      show(update);
      // What followers can read in storage does not cross the channel.
      leadership?.speak(update.kind === 'patch' || store.kind === 'memory' ? update : undefined);
    },
    onNeedSnapshot: () => void resync.repair(),
    onConfirmed: () => showAgeLater(),
    // To stay would be to call old flags current. The next stream may end at a server that has caught up.
    onServerBehind: (revision) =>
      connection.dropStream(
        `the server is at revision ${revision}, behind what is held (${replica.held?.revision})`,
      ),
    onSuperseded: () => leadership?.letOthersLead(),
  });

  const connection = createConnection(
    {
      transport,
      system,
      trace,
      policy,
      url,
      filter: () => filter.current,
      after: resumePoint,
      accessToken: (why) => tabs.askForToken(why),
      onMessages: replica.receive,
      onPosition: replica.notePosition,
      onConfirmed: replica.confirm,
      onMalformed: (error) => {
        counts.malformed += 1;
        trace('hub', 'malformed', { message: error.message, path: error.path });
        replica.distrust();
      },
      onChange: () => showStatus(),
    },
    STARTING,
    NO_TABS,
    NOT_LEADING,
  );

  const resync = createResync(connection, replica);

  const filter = createReplicatedFilter((wider, isFirst) => {
    replica.setFilter(wider);
    if (isFirst) return;
    connection.tell({ type: 'pause', reason: RESYNC });
    connection.tell({ type: 'unpause', reason: RESYNC });
  });

  /** Only the id: the flags themselves must not end up in requests and traces. */
  function resumePoint(): EventId | undefined {
    const { held } = replica;
    return held !== undefined && replica.isResumable()
      ? { epoch: held.epoch, revision: held.revision }
      : undefined;
  }

  const status = (): HubStatus => {
    const own: HubStatus = {
      connection: connection.status,
      storage: replica.isStored ? store.kind : 'memory',
      source: replica.source,
      epoch: replica.held?.epoch,
      revision: replica.held?.revision,
      confirmedAtMs: replica.confirmedAtMs,
      tabs: tabs.count + (leadership?.otherTabs ?? 0),
      isLeader: leadership?.isLeader === true,
      isFollower: leadership?.leader !== undefined,
    };
    const leader = leadership?.leader;
    return leader === undefined ? own : { ...own, connection: leader.connection, tabs: leader.tabs };
  };

  const tabs = createTabs({
    bootId,
    system,
    trace,
    whole: replica.whole,
    status,
    isForgotten: () => signOut.isForgotten,
    isRevisionAll: () => !replica.hasBeenFiltered,
    // Its tabs hang; those of another hub may know the token.
    onNoAnswer: () => {
      if ((leadership?.otherTabs ?? 0) > 0) leadership?.passOn();
    },
  });

  const show = (update: Update): void => {
    counts.sentLengthPerTab +=
      update.kind === 'all' ? update.flagsJson.length : JSON.stringify(update).length;
    tabs.sendUpdate(update);
  };

  const showStatus = (): void => {
    tabs.sendStatus();
    leadership?.speak();
  };

  /** Not at once: a delivery of mere status would make the change that follows it wait for the tabs' receipts. */
  const showAgeLater = (): void => {
    if (replica.source !== shownSource) {
      shownSource = replica.source;
      showStatus();
    }
    if (isAgeDue) return;
    isAgeDue = true;
    stopAge = system.after(SHOW_AGE_EVERY_MS, () => {
      isAgeDue = false;
      showStatus();
    });
  };

  const giveUpOnTabs = (): void => {
    connection.tell({ type: 'pause', reason: NO_TABS });
    leadership?.want(false);
    if (tabs.count === 0) parts.onIdle();
  };

  const noticeTabs = (): void => {
    stopGrace();
    if (tabs.activeCount > 0) {
      connection.tell({ type: 'unpause', reason: NO_TABS });
      if (!signOut.isForgotten) leadership?.want(true);
    } else stopGrace = system.after(NO_TAB_GRACE_MS, giveUpOnTabs);
    leadership?.greet();
    showStatus();
  };

  const signOut = createSignOut({
    connection,
    replica,
    tabs,
    store,
    trace,
    leadership: () => leadership,
  });

  let starting: Promise<void> | undefined = replica.load().finally(() => {
    starting = undefined;
    connection.tell({ type: 'unpause', reason: STARTING });
  });
  leadership = createLeadership({
    bootId,
    protocol: parts.protocol ?? HUB_PROTOCOL,
    system,
    trace,
    replica,
    connection,
    claimStream: parts.claimStream,
    peers: parts.peers,
    whenHubIsGone: parts.whenHubIsGone,
    load: (epoch) => signOut.wiped.then(() => starting ?? replica.load(epoch)),
    status,
    ownTabs: () => tabs.count,
    wants: filter.wants,
    widenFilter: filter.widen,
    refresh: () => refresh(),
    onWoken: wakeUp,
    onForgotten: signOut.forgetWithOthers,
    onChange: () => {
      // Somebody has signed in again elsewhere.
      if (leadership?.leader !== undefined) signOut.remember();
      showStatus();
    },
  });

  async function refresh(): Promise<Answer<EventId | null>> {
    connection.tell({ type: 'asked' });
    const answer = await resync.fetch(replica.isResumable() ? 'ifChanged' : 'whole');
    return refreshAnswer(answer, replica.held);
  }

  function wakeUp(why: string): void {
    trace('hub', 'woken', { why });
    // A browser that says `offline` is wrong now and then: nothing is cut for it.
    connection.tell({ type: why === 'offline' ? 'doubted' : 'woken', why });
  }

  return {
    attach: ({ tabId, sink, filter: wanted, held, isForgotten: hasSignedOut = false }) => {
      filter.widen(wanted);
      if (hasSignedOut) signOut.staySignedOut();
      else signOut.remember();
      tabs.add(tabId, sink, held);
      noticeTabs();
    },
    detach: (tabId) => {
      tabs.remove(tabId);
      noticeTabs();
    },
    suspend: (tabId) => {
      tabs.suspend(tabId);
      noticeTabs();
    },
    resume: (tabId, held) => {
      tabs.resume(tabId, held);
      noticeTabs();
    },
    wake: (why) => {
      if (leadership?.isLeader) wakeUp(why);
      else leadership?.wake(why);
    },
    refresh: async () => {
      signOut.remember();
      return leadership?.isLeader === false ? leadership.refresh() : refresh();
    },
    forget: signOut.forget,
    storageLost: replica.storageLost,
    debug: () => ({
      bootId,
      scope,
      bootedAtMs,
      status: status(),
      tabs: tabs.list(),
      counts: { ...counts, ...replica.counts, streams: connection.streams, snapshots: resync.count },
      trace: parts.traceEntries,
    }),
    close: () => {
      stopGrace();
      stopAge();
      connection.close();
      leadership?.close();
      tabs.close();
      store.close();
    },
  };
}

const STARTING = 'starting';
const NO_TABS = 'no active tab';
const RESYNC = 'starting over';
