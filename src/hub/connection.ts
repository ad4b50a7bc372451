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
import type { FlagError } from '../core/errors.ts';
import type { EventId, FlagFilter } from '../core/model.ts';
import type { Message } from '../core/protocol/messages.ts';
import type { ConnectionStatus } from '../core/state/status.ts';
import type { System } from '../system/system.ts';
import type { Trace } from '../system/trace.ts';
import type { SnapshotAnswer, StreamListener, Transport } from '../transport/contract.ts';
import { connectionStatus, createWallClock, describeTransition } from './connection-status.ts';
import { asFailure, createServerRequests } from './server-requests.ts';
import { createSleepWatch } from './sleep-watch.ts';

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
  /** The machine's own; its moments are on a clock that never jumps. */
  readonly state: ConnectionState;
  /** The state as people see it: its moments are milliseconds since 1970. */
  readonly status: ConnectionStatus;
  /** Streams asked for so far. */
  readonly streams: number;
  /** Tells the machine. */
  tell(event: ConnectionEvent): void;
  /** Asks for a snapshot, whatever the stream is doing. `ifChanged`: a server that has nothing newer says so. */
  fetchSnapshot(mode: 'whole' | 'ifChanged'): Promise<SnapshotAnswer>;
  /** Aborts every snapshot request under way that `fetchSnapshot` made; they end as `aborted`. */
  cancelRequests(): void;
  /** Ends a stream that cannot be trusted any more; the next one comes after a delay. */
  dropStream(reason: string): void;
  close(): void;
}

export function createConnection(options: ConnectionOptions, ...initialReasons: string[]): Connection {
  const { transport, system, trace, policy, onMessages, onPosition, onConfirmed, onMalformed, onChange } =
    options;
  const wallMs = createWallClock(system);
  const server = createServerRequests(options);
  let state = initialConnection(...initialReasons);
  let stream: AbortController | undefined;
  /** The poll or probe under way. */
  let asking: AbortController | undefined;
  let stopTimer = (): void => {};
  let streams = 0;
  let requests = new AbortController();
  let isClosed = false;

  const tell = (event: ConnectionEvent): void => {
    if (isClosed) return;
    const before = state;
    const next = nextConnection(state, event, { nowMs: system.elapsedMs(), random: system.random(), policy });
    state = next.state;
    for (const command of next.commands) carryOut(command);
    // A sign of life only moves the moment of the watchdog; its timer finds that out when it is due. A burst must not cost a timer per chunk.
    if (event.type === 'alive') return;
    setTimer();
    if (state === before) return;
    if (state.is === 'paused' || state.is === 'stopped') sleepWatch.stop();
    else sleepWatch.start();
    trace('connection', state.is, describeTransition(before, event, state));
    onChange();
  };

  const sleepWatch = createSleepWatch(system, ({ sleptMs, isHidden }) => {
    const why = `asleep for ${Math.round(sleptMs / 1000)} s`;
    if (isHidden) tell({ type: 'doubted', why });
    tell({ type: 'woken', why });
  });

  const setTimer = (): void => {
    stopTimer();
    const atMs = wakeAtMs(state, policy);
    if (atMs === undefined) return;
    const delayMs = Math.max(0, Math.ceil(atMs - system.elapsedMs()));
    stopTimer = system.after(delayMs, () => tell({ type: 'due' }));
  };

  const carryOut = (command: ConnectionCommand): void => {
    switch (command.do) {
      case 'open':
        void open(command.renewToken ? 'rejected' : 'first');
        return;
      case 'close':
        abandon();
        return;
      case 'poll':
        void poll('polled', (signal) =>
          server.ask('ifChanged', command.renewToken ? 'rejected' : 'first', signal, noteProgress),
        );
        return;
      case 'probe':
        void poll('probed', (signal) => server.askTwice('ifChanged', signal, noteProgress));
        return;
    }
  };

  /** What is under way ends, and nobody hears how. */
  const abandon = (): void => {
    const ended = [stream, asking];
    stream = undefined;
    asking = undefined;
    for (const request of ended) request?.abort();
  };

  const open = async (why: 'first' | 'rejected'): Promise<void> => {
    abandon();
    const attempt = new AbortController();
    stream = attempt;
    const isMine = (): boolean => stream === attempt;
    const ending = await server
      .requestWith(why, attempt.signal)
      .then((request) => {
        // The token may have come late, when nobody waits for this stream any more.
        if (!isMine()) return { ended: 'aborted' } as const;
        streams += 1;
        trace('connection', 'open', { after: request.after });
        return transport.stream(request, listenerOf(isMine));
      })
      .catch(asFailure);
    if (!isMine()) return;
    abandon();
    tell({ type: 'ended', ending });
  };

  /** A stream that is not ours any more says nothing. */
  const listenerOf = (isMine: () => boolean): StreamListener => ({
    opened: () => isMine() && tell({ type: 'opened' }),
    alive: () => {
      // First: after a sleep, the bytes that had come before it say nothing about the stream.
      if (isMine()) sleepWatch.noteLife();
      if (isMine()) tell({ type: 'alive' });
    },
    quiet: () => isMine() && tell({ type: 'quiet' }),
    position: (id) => isMine() && onPosition(id),
    received: (messages) => {
      if (!isMine()) return;
      for (const message of messages) {
        if (message.kind === 'bye') tell({ type: 'bye', delayMs: message.retryAfterMs });
      }
      onMessages(messages);
    },
    malformed: (error) => isMine() && onMalformed(error),
    retry: (delayMs) => isMine() && tell({ type: 'retry-hint', delayMs }),
  });

  const noteProgress = (): void => tell({ type: 'alive' });

  const poll = async (
    told: 'polled' | 'probed',
    fetch: (signal: AbortSignal) => Promise<SnapshotAnswer>,
  ): Promise<void> => {
    asking?.abort();
    const attempt = new AbortController();
    asking = attempt;
    const answer = await fetch(attempt.signal);
    if (asking !== attempt || isClosed) return;
    asking = undefined;
    tell({ type: told, ending: answer });
    if (answer.ended === 'snapshot')
      onMessages([{ kind: 'snapshot', snapshot: answer.snapshot, timestampMs: 0 }]);
    if (answer.ended === 'not-modified') onConfirmed();
  };

  /** Fails when no byte comes for too long: whoever waits for a snapshot must not wait for ever. */
  const fetchSnapshot: Connection['fetchSnapshot'] = async (mode) => {
    const all = requests.signal;
    const attempt = new AbortController();
    const abort = (): void => attempt.abort();
    all.addEventListener('abort', abort, { once: true });
    let stopWaiting = (): void => {};
    const wait = (): void => {
      stopWaiting();
      stopWaiting = system.after(policy.connectTimeoutMs, abort);
    };
    wait();
    const answer = await server.askTwice(mode, attempt.signal, wait);
    stopWaiting();
    all.removeEventListener('abort', abort);
    const isTooLate = answer.ended === 'aborted' && !all.aborted;
    return isTooLate ? asFailure(new Error('the server did not answer')) : answer;
  };

  return {
    get state() {
      return state;
    },
    get status() {
      return connectionStatus(state, wallMs);
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
      if (stream === undefined) return;
      abandon();
      tell({ type: 'ended', ending: { ended: 'dropped', reason } });
    },
    close: () => {
      isClosed = true;
      stopTimer();
      sleepWatch.stop();
      abandon();
      requests.abort();
    },
  };
}
