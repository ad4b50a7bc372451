/** Follows the flags of one server until it is told to stop: the connection machine reconnects, and a gap starts over with the next stream. */
import type { ConnectionPolicy } from '../core/connection/policy.ts';
import type { Message } from '../core/protocol/messages.ts';
import { type Held, type Reduced, reduce } from '../core/state/reduce.ts';
import type { ConnectionStatus } from '../core/state/status.ts';
import { createConnection } from '../hub/connection.ts';
import type { System } from '../system/system.ts';
import type { Trace } from '../system/trace.ts';
import type { ServerRequest, StreamEnd, Transport } from '../transport/contract.ts';
import { refuseForGood } from './stream-end.ts';

export interface Follow {
  readonly transport: Transport;
  readonly system: System;
  readonly policy: ConnectionPolicy;
  /** Its signal ends everything. */
  readonly request: Omit<ServerRequest, 'after'>;
  /** A message that changed or confirmed what is held. */
  readonly onReduced: (reduced: Reduced, message: Message) => void;
  readonly onStatus: (status: ConnectionStatus) => void;
  readonly trace: Trace;
}

/** Settles when the signal fires. Rejects with `unauthorized`, `not_found` or `unreachable` when trying again is of no use. */
export function followFlags(follow: Follow): Promise<void> {
  const { transport, system, policy, request, onReduced, onStatus, trace } = follow;
  const { url, accessToken, filter, signal } = request;
  let held: Held | undefined;
  let mustStartOver = false;

  const connection = createConnection(
    {
      transport: {
        ...transport,
        stream: async (asked, listener) => {
          const end = await transport.stream(asked, listener);
          giveUpAfter(end);
          return end;
        },
      },
      system,
      policy,
      url,
      filter: () => filter,
      after: () => (mustStartOver ? undefined : held && { epoch: held.epoch, revision: held.revision }),
      accessToken: async () => accessToken,
      onMessages: takeIn,
      onPosition: ({ epoch, revision }) => {
        if (held === undefined) return;
        if (held.epoch !== epoch || (revision > held.revision && !held.isFiltered)) startOver(MISSING);
        else if (revision < held.revision) leaveBehind(revision);
      },
      onConfirmed: () => {},
      onMalformed: (error) => startOver(`the server sent something wrong: ${error.message}`),
      onChange: () => onStatus(connection.status),
      trace: (by, what, facts) => trace(by, what, { ...facts, ...waitOf(connection.status, system) }),
    },
    STARTING,
  );

  function takeIn(messages: readonly Message[]): void {
    for (const message of messages) {
      const reduced = reduce(held, message, filter !== undefined);
      held = reduced.held;
      if (message.kind === 'unknown') trace('flags', 'unknown event', { type: message.type });
      if (message.kind === 'snapshot' && reduced.refused > 0) {
        leaveBehind(message.snapshot.revision);
        return;
      }
      if (message.kind === 'snapshot') mustStartOver = false;
      if (reduced.refused > 0) {
        trace('flags', 'refused', {
          reason: 'known already',
          changes: reduced.refused,
          held: held?.revision,
        });
      }
      if (message.kind === 'snapshot' || reduced.applied.length > 0) onReduced(reduced, message);
      if (reduced.need === 'snapshot') {
        startOver(MISSING);
        return;
      }
    }
  }

  /** The next stream begins with a snapshot. */
  function startOver(reason: string): void {
    mustStartOver = true;
    trace('flags', 'resync', { reason, held: held?.revision });
    connection.dropStream(`${reason}, starting over`);
  }

  /** A replica that lags, or a backup that was restored. The next stream may end at a server that has caught up. */
  function leaveBehind(revision: number): void {
    const reason = `the server is at revision ${revision}, behind what is held (${held?.revision})`;
    trace('flags', 'refused', { reason });
    connection.dropStream(reason);
  }

  let fail = (_error: unknown): void => {};
  function giveUpAfter(end: StreamEnd): void {
    try {
      refuseForGood(end, request);
    } catch (error) {
      connection.close();
      fail(error);
    }
  }

  return new Promise<void>((resolve, reject) => {
    fail = reject;
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
    else connection.tell({ type: 'unpause', reason: STARTING });
  }).finally(() => connection.close());
}

const STARTING = 'starting';
const MISSING = 'a change is missing';

/** When the machine tries or polls again, beside its reason. */
function waitOf(status: ConnectionStatus, { nowMs }: Pick<System, 'nowMs'>): { readonly nextInMs?: number } {
  if (status.is === 'waiting') return { nextInMs: status.retryAtMs - nowMs() };
  return status.is === 'polling' ? { nextInMs: status.nextPollAtMs - nowMs() } : {};
}
