/**
 * The one owner of the stream in this browser. It wires and holds no rule of its own:
 *
 *   transport ─messages─► replica (reduce, commit) ─updates─► tab channels ─deliveries─► tabs
 *       ▲                    │ gap: snapshot
 *   connection machine ◄─────┘            reasons to be quiet: starting, no tabs, another hub streams, forgotten
 */

import type { ConnectionPolicy } from '../core/connection/policy.ts';
import { DEFAULT_POLICY } from '../core/connection/policy.ts';
import type { EventId, FlagFilter } from '../core/model.ts';
import { filterKeyOf, unionOfFilters } from '../core/state/filter.ts';
import type { HubStatus } from '../core/state/status.ts';
import type { Update } from '../core/state/update.ts';
import type { FlagStore } from '../storage/contract.ts';
import type { System } from '../system/system.ts';
import type { Trace, TraceEntry } from '../system/trace.ts';
import type { Transport } from '../transport/contract.ts';
import { refreshAnswer, wipeFailed } from './answers.ts';
import { connectionStatus, createConnection } from './connection.ts';
import type { Answer, HubDebug, TabSink } from './contract.ts';
import { ANOTHER_HUB, claimLeadership, type Leadership } from './leadership.ts';
import { createReplica } from './replica.ts';
import { createResync } from './resync.ts';
import type { Announcements, ClaimStream } from './stream-lock.ts';
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
  readonly announcements: Announcements;
  /** No tab has been attached for a while: nobody needs this hub. */
  readonly onIdle: () => void;
}

export interface AttachedTab {
  readonly tabId: string;
  readonly sink: TabSink;
  readonly filter: FlagFilter | undefined;
  readonly held: EventId | undefined;
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
  /** Stops the stream and lets go of everything. */
  close(): void;
}

/** With no active tab for this long the stream is closed. */
const NO_TAB_GRACE_MS = 10_000;
/** Heartbeats renew the age of the data in the tabs at most this often. */
const SHOW_AGE_EVERY_MS = 2_000;

export function createHub(parts: HubParts): Hub {
  const { bootId, scope, url, transport, store, system, trace, announcements } = parts;
  const bootedAtMs = system.nowMs();
  const policy = { ...DEFAULT_POLICY, ...parts.policy };
  let leadership: Leadership | undefined;
  let filter: FlagFilter | undefined;
  let hasFilter = false;
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
      leadership?.announceCommit();
    },
    onNeedSnapshot: () => void resync.repair(),
    onConfirmed: () => showAgeLater(),
    // To stay would be to call old flags current. The next stream may end at a server that has caught up.
    onServerBehind: (revision) =>
      connection.dropStream(
        `the server is at revision ${revision}, behind what is held (${replica.held?.revision})`,
      ),
    onSuperseded: () => leadership?.resign(),
  });

  const connection = createConnection(
    {
      transport,
      system,
      trace,
      policy,
      url,
      filter: () => filter,
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
      onChange: () => tabs.sendStatus(),
    },
    STARTING,
    NO_TABS,
    ANOTHER_HUB,
  );

  const resync = createResync(connection, replica);

  /** Only the id: the flags themselves must not end up in requests and traces. */
  function resumePoint(): EventId | undefined {
    const { held } = replica;
    return held !== undefined && replica.isResumable()
      ? { epoch: held.epoch, revision: held.revision }
      : undefined;
  }

  const status = (): HubStatus => ({
    connection: connectionStatus(connection.state),
    storage: store.kind,
    source: replica.source,
    epoch: replica.held?.epoch,
    revision: replica.held?.revision,
    confirmedAtMs: replica.confirmedAtMs,
    tabs: tabs.count,
    isLeader: leadership?.isLeader === true,
  });

  const tabs = createTabs({ bootId, system, trace, whole: replica.whole, status });

  const show = (update: Update): void => {
    counts.sentLengthPerTab +=
      update.kind === 'all' ? update.flagsJson.length : JSON.stringify(update).length;
    tabs.sendUpdate(update);
  };

  /** Not at once: a delivery of mere status would make the change that follows it wait for the tabs' receipts. */
  const showAgeLater = (): void => {
    if (replica.source !== shownSource) {
      shownSource = replica.source;
      tabs.sendStatus();
    }
    if (isAgeDue) return;
    isAgeDue = true;
    stopAge = system.after(SHOW_AGE_EVERY_MS, () => {
      isAgeDue = false;
      tabs.sendStatus();
    });
  };

  const giveUpOnTabs = (): void => {
    connection.tell({ type: 'pause', reason: NO_TABS });
    if (tabs.count === 0) parts.onIdle();
  };

  const noticeTabs = (): void => {
    stopGrace();
    if (tabs.activeCount > 0) connection.tell({ type: 'unpause', reason: NO_TABS });
    else stopGrace = system.after(NO_TAB_GRACE_MS, giveUpOnTabs);
    tabs.sendStatus();
  };

  /** The filter only ever grows while the hub lives: a tab must not take flags away from another. */
  const widenFilter = (wanted: FlagFilter | undefined): void => {
    const isFirst = !hasFilter;
    const wider = isFirst ? wanted : unionOfFilters(filter, wanted);
    if (!isFirst && filterKeyOf(wider) === filterKeyOf(filter)) return;
    hasFilter = true;
    filter = wider;
    replica.setFilter(wider);
    if (isFirst) return;
    connection.tell({ type: 'pause', reason: RESYNC });
    connection.tell({ type: 'unpause', reason: RESYNC });
  };

  /** Storage belongs to the leader, and to whoever is asked to wipe it. */
  const forget = async (how: 'and wipe' | 'only here'): Promise<void> => {
    connection.tell({ type: 'pause', reason: FORGOTTEN });
    // An answer still under way belongs to who is being forgotten.
    connection.cancelRequests();
    tabs.dropToken();
    await replica.drop();
    if (how === 'and wipe') await store.clear();
  };

  let starting: Promise<void> | undefined = replica.load().finally(() => {
    starting = undefined;
    connection.tell({ type: 'unpause', reason: STARTING });
  });
  leadership = claimLeadership({
    replica,
    connection,
    load: () => starting ?? replica.load(),
    claimStream: parts.claimStream,
    announcements,
    onForgotten: () => void forget(leadership?.isLeader ? 'and wipe' : 'only here'),
  });

  return {
    attach: ({ tabId, sink, filter: wanted, held }) => {
      widenFilter(wanted);
      tabs.add(tabId, sink, held);
      connection.tell({ type: 'unpause', reason: FORGOTTEN });
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
      trace('hub', 'woken', { why });
      connection.tell({ type: 'woken' });
    },
    refresh: async () => {
      connection.tell({ type: 'unpause', reason: FORGOTTEN });
      connection.tell({ type: 'asked' });
      const answer = await resync.fetch(replica.isResumable() ? 'ifChanged' : 'whole');
      return refreshAnswer(answer, replica.held);
    },
    forget: async () => {
      // The others first: what they still store must be gone when this wipe ends.
      announcements.post({ type: 'forgotten' });
      return forget('and wipe').then(() => ({ ok: true, value: null }), wipeFailed);
    },
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
      tabs.close();
      leadership?.close();
      store.close();
    },
  };
}

const STARTING = 'starting';
const NO_TABS = 'no active tab';
const RESYNC = 'starting over';
const FORGOTTEN = 'forgotten';
