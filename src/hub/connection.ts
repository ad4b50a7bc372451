/** Runs the connection machine: carries its commands out with a transport, keeps its one timer, and tells it what happened. */
import { nextConnection } from '../core/connection/machine.ts';
import type { ConnectionPolicy } from '../core/connection/policy.ts';
import {
  type ConnectionCommand,
  type ConnectionEvent,
  type ConnectionState,
  initialConnection,
  wakeAtMs,
} from '../core/connection/states.ts';
import { FlagError } from '../core/errors.ts';
import type { EventId, FlagFilter } from '../core/model.ts';
import type { Message } from '../core/protocol/messages.ts';
import type { ConnectionStatus } from '../core/state/status.ts';
import type { System } from '../system/system.ts';
import type { Trace } from '../system/trace.ts';
import type { RequestFailure, SnapshotAnswer, Transport } from '../transport/contract.ts';

export interface ConnectionOptions {
  readonly transport: Transport;
  readonly system: System;
  readonly trace: Trace;
  readonly policy: ConnectionPolicy;
  readonly url: string;
  readonly filter: () => FlagFilter | undefined;
  /** Where a stream may go on from; `undefined` asks for everything. */
  readonly after: () => EventId | undefined;
  /** `rejected`: the server has answered 401 to the last one. */
  readonly accessToken: (why: 'first' | 'rejected') => Promise<string | undefined>;
  readonly onMessages: (messages: readonly Message[]) => void;
  /** The server says where the stream stands. */
  readonly onPosition: (id: EventId) => void;
  /** The server says that nothing is newer than what is held. */
  readonly onConfirmed: () => void;
  readonly onMalformed: (error: FlagError) => void;
  /** The state is another one. */
  readonly onChange: () => void;
}

export interface Connection {
  readonly state: ConnectionState;
  readonly streams: number;
  /** Tells the machine. */
  tell(event: ConnectionEvent): void;
  /** Asks for a snapshot, whatever the stream is doing. `ifChanged`: a server that has nothing newer says so. */
  fetchSnapshot(mode: 'whole' | 'ifChanged'): Promise<SnapshotAnswer>;
  /** Aborts every snapshot request under way; they end as `aborted`. */
  cancelRequests(): void;
  /** Ends a stream that cannot be trusted any more; the next one comes after a delay. */
  dropStream(reason: string): void;
  close(): void;
}

export function createConnection(options: ConnectionOptions, ...initialReasons: string[]): Connection {
  const { transport, system, trace, policy, onMessages, onPosition, onConfirmed, onMalformed, onChange } =
    options;
  let state = initialConnection(...initialReasons);
  let stream: AbortController | undefined;
  let stopTimer = (): void => {};
  let streams = 0;
  let requests = new AbortController();
  let isClosed = false;

  const tell = (event: ConnectionEvent): void => {
    if (isClosed) return;
    const before = state;
    const next = nextConnection(state, event, { nowMs: system.nowMs(), random: system.random(), policy });
    state = next.state;
    for (const command of next.commands) carryOut(command);
    // A sign of life only moves the moment of the watchdog; its timer finds that out when it is due. A burst must not cost a timer per chunk.
    if (event.type === 'alive') return;
    setTimer();
    if (state === before) return;
    trace('connection', state.is, { event: event.type, ...reasonOf(state) });
    onChange();
  };

  const setTimer = (): void => {
    stopTimer();
    const atMs = wakeAtMs(state, policy);
    if (atMs === undefined) return;
    stopTimer = system.after(Math.max(0, atMs - system.nowMs()), () => tell({ type: 'due' }));
  };

  const carryOut = (command: ConnectionCommand): void => {
    switch (command.do) {
      case 'open':
        void open(command.renewToken ? 'rejected' : 'first');
        return;
      case 'close':
        stream?.abort();
        stream = undefined;
        return;
      case 'poll':
        void poll();
        return;
    }
  };

  const requestWith = async (signal: AbortSignal, why: 'first' | 'rejected') => ({
    url: options.url,
    accessToken: await options.accessToken(why),
    filter: options.filter(),
    after: options.after(),
    signal,
  });

  const open = async (why: 'first' | 'rejected'): Promise<void> => {
    stream?.abort();
    const attempt = new AbortController();
    stream = attempt;
    const isMine = (): boolean => stream === attempt;
    const ending = await requestWith(attempt.signal, why)
      .then((request) => {
        streams += 1;
        trace('connection', 'open', { after: request.after });
        return transport.stream(request, {
          opened: () => isMine() && tell({ type: 'opened' }),
          alive: () => isMine() && tell({ type: 'alive' }),
          position: (id) => isMine() && onPosition(id),
          received: (messages) => {
            if (!isMine()) return;
            for (const message of messages) {
              if (message.kind === 'bye') tell({ type: 'retry-hint', delayMs: message.retryAfterMs });
            }
            onMessages(messages);
          },
          malformed: (error) => isMine() && onMalformed(error),
          retry: (delayMs) => isMine() && tell({ type: 'retry-hint', delayMs }),
        });
      })
      .catch(asFailure);
    if (!isMine()) return;
    stream = undefined;
    tell({ type: 'ended', ending });
  };

  const fetchSnapshot = async (mode: 'whole' | 'ifChanged'): Promise<SnapshotAnswer> => {
    const { signal } = requests;
    const ask = async (why: 'first' | 'rejected'): Promise<SnapshotAnswer> => {
      const request = await requestWith(signal, why);
      return transport.fetchSnapshot(mode === 'whole' ? { ...request, after: undefined } : request);
    };
    const answer = await ask('first').catch(asFailure);
    const isRejected = answer.ended === 'refused' && answer.status === 401;
    return isRejected ? ask('rejected').catch(asFailure) : answer;
  };

  const poll = async (): Promise<void> => {
    const answer = await fetchSnapshot('ifChanged');
    trace('connection', 'polled', { ended: answer.ended });
    if (answer.ended === 'snapshot')
      onMessages([{ kind: 'snapshot', snapshot: answer.snapshot, timestampMs: 0 }]);
    if (answer.ended === 'not-modified') onConfirmed();
  };

  return {
    get state() {
      return state;
    },
    get streams() {
      return streams;
    },
    tell,
    fetchSnapshot,
    cancelRequests: () => {
      requests.abort();
      requests = new AbortController();
    },
    dropStream: (reason) => {
      stream?.abort();
      stream = undefined;
      tell({ type: 'ended', ending: { ended: 'failed', error: new FlagError('invalid_data', reason) } });
    },
    close: () => {
      stopTimer();
      stream?.abort();
      requests.abort();
      isClosed = true;
    },
  };
}

function asFailure(cause: unknown): RequestFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  return { ended: 'failed', error: new FlagError('unreachable', message, { cause }) };
}

function reasonOf(state: ConnectionState): { readonly reason?: string } {
  if (state.is === 'paused') return { reason: state.reasons.join(', ') };
  return 'reason' in state ? { reason: state.reason } : {};
}

/** The machine's state as people see it. */
export function connectionStatus(state: ConnectionState): ConnectionStatus {
  switch (state.is) {
    case 'paused':
      return { is: 'paused', reasons: state.reasons };
    case 'connecting':
      return { is: 'connecting', attempt: state.failures + 1 };
    case 'live':
      return { is: 'live', sinceMs: state.sinceMs };
    case 'waiting':
      return { is: 'waiting', retryAtMs: state.retryAtMs, attempt: state.failures + 1, reason: state.reason };
    case 'polling':
      return {
        is: 'polling',
        nextPollAtMs: Math.min(state.nextPollAtMs, state.streamAgainAtMs),
        reason: state.reason,
      };
    case 'stopped':
      return { is: 'stopped', reason: state.reason };
  }
}
