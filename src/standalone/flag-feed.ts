/**
 * Subscriptions on one connection, without a hub. It wires and holds no rule of its own:
 *
 *   subscriptions ─filter─► connection ─messages─► held flags ─changes─► subscriptions
 *
 * Subscribing and stopping take effect together at the end of the turn. A wider filter starts the stream over, and its first snapshot is
 * compared with what is held; a narrower one changes nothing. With no subscription the connection is closed and nothing is held, unless
 * somebody needs it for something else.
 */
import { type ConnectionPolicy, DEFAULT_POLICY } from '../core/connection/policy.ts';
import { FlagError } from '../core/errors.ts';
import type { FlagFilter } from '../core/model.ts';
import type { FlagChange } from '../core/state/flag-change.ts';
import type { FlagSelector } from '../core/state/selector.ts';
import type { ConnectionStatus } from '../core/state/status.ts';
import { createConnection } from '../hub/connection.ts';
import { checkListener, createListeners } from '../system/listeners.ts';
import type { System } from '../system/system.ts';
import type { Trace } from '../system/trace.ts';
import type { Transport } from '../transport/contract.ts';
import { createHeldFlags } from './held-flags.ts';
import { covers, createSubscriptions } from './subscriptions.ts';

export interface FlagFeedParts {
  readonly url: string;
  readonly policy: Partial<ConnectionPolicy>;
  /** Asked before every attempt. */
  readonly accessToken: () => string | undefined | Promise<string | undefined>;
  readonly transport: Transport;
  readonly system: System;
  readonly trace?: Trace;
}

export interface FlagFeed {
  /** `undefined` selects every flag. The returned function stops it at once. */
  subscribe(selector: FlagSelector | undefined, listener: (change: FlagChange) => void): () => void;
  /** The connection is wanted, and no flags with it. The returned function ends that. */
  keepOpen(): () => void;
  readonly status: ConnectionStatus;
  onStatus(listener: (status: ConnectionStatus) => void): () => void;
  /** Something happened that makes an attempt worthwhile now. */
  wake(why: string): void;
  /** The network may be gone; the stream is not given up for it. */
  doubt(why: string): void;
  /** No stream as long as this lasts; what is held and who listens stays. */
  suspend(): void;
  resume(): void;
  close(): void;
}

export function createFlagFeed(parts: FlagFeedParts): FlagFeed {
  const { url, transport, system, trace = () => {} } = parts;
  const subscriptions = createSubscriptions();
  const statuses = createListeners<ConnectionStatus>();
  const keepers = new Set<symbol>();
  let hasNewKeeper = false;
  let filter: FlagFilter | undefined;
  let isIdle = true;
  let isSettling = false;
  let isClosed = false;

  const held = createHeldFlags({
    onChanges: subscriptions.tell,
    onMisfit: (reason) => connection.dropStream(reason),
  });

  const connection = createConnection(
    {
      transport,
      system,
      trace,
      policy: { ...DEFAULT_POLICY, ...parts.policy },
      url,
      filter: () => filter,
      after: held.resumePoint,
      accessToken: async () => parts.accessToken(),
      onMessages: held.receive,
      onPosition: held.notePosition,
      onConfirmed: () => {},
      onMalformed: (error) => held.distrust(error.message),
      onChange: () => statuses.notify(connection.status),
    },
    NO_SUBSCRIPTION,
  );

  const settleLater = (): void => {
    if (isSettling) return;
    isSettling = true;
    queueMicrotask(() => {
      isSettling = false;
      settle();
    });
  };

  const settle = (): void => {
    if (subscriptions.count + keepers.size === 0) goIdle();
    else followSubscriptions();
  };

  const goIdle = (): void => {
    if (isIdle) return;
    isIdle = true;
    connection.tell({ type: 'pause', reason: NO_SUBSCRIPTION });
    held.drop();
  };

  const followSubscriptions = (): void => {
    const wanted = subscriptions.count === 0 ? NO_FLAGS : subscriptions.wanted();
    const isAsked = subscriptions.hasNewcomers || hasNewKeeper;
    hasNewKeeper = false;
    if (isIdle || !covers(filter, wanted)) startOver(wanted);
    else if (isAsked && connection.state.is === 'stopped') connection.tell({ type: 'asked' });
    subscriptions.welcome(held.asChanges());
  };

  const startOver = (wanted: FlagFilter | undefined): void => {
    filter = wanted;
    held.expect(wanted);
    if (isIdle) {
      isIdle = false;
      connection.tell({ type: 'unpause', reason: NO_SUBSCRIPTION });
      return;
    }
    switch (connection.state.is) {
      case 'connecting':
      case 'live':
      case 'polling':
        // What is under way was asked for with the filter before; it ends, and reports nothing any more.
        connection.tell({ type: 'pause', reason: OTHER_FLAGS });
        connection.tell({ type: 'unpause', reason: OTHER_FLAGS });
        return;
      case 'stopped':
        connection.tell({ type: 'asked' });
        return;
      // The next attempt asks for it; a server in trouble is not asked sooner because somebody subscribes.
      case 'waiting':
      case 'paused':
    }
  };

  return {
    subscribe: (selector, listener) => {
      checkListener(listener);
      if (isClosed) throw new FlagError('closed', 'The client has been closed. Create another one.');
      const stop = subscriptions.add(selector, listener);
      settleLater();
      return () => {
        stop();
        settleLater();
      };
    },
    keepOpen: () => {
      const keeper = Symbol('keeper');
      keepers.add(keeper);
      hasNewKeeper = true;
      settleLater();
      return () => {
        keepers.delete(keeper);
        settleLater();
      };
    },
    get status() {
      return isClosed ? CLOSED : connection.status;
    },
    onStatus: statuses.add,
    wake: (why) => connection.tell({ type: 'woken', why }),
    doubt: (why) => connection.tell({ type: 'doubted', why }),
    suspend: () => connection.tell({ type: 'pause', reason: SUSPENDED }),
    resume: () => connection.tell({ type: 'unpause', reason: SUSPENDED }),
    close: () => {
      if (isClosed) return;
      isClosed = true;
      subscriptions.clear();
      keepers.clear();
      connection.close();
      held.drop();
      statuses.notify(CLOSED);
    },
  };
}

/** A filter that lets nothing through. Only a transport that can do without a stream is asked for it. */
const NO_FLAGS: FlagFilter = {};
const CLOSED: ConnectionStatus = { is: 'stopped', reason: 'the client was closed' };
const NO_SUBSCRIPTION = 'no subscription';
const OTHER_FLAGS = 'other flags are wanted';
const SUSPENDED = 'the page is put away';
