/** The flag server as a browser reaches it: answers every request by itself, over a network and with tokens that go wrong when told to. */
import { FlagError } from '../../src/core/errors.ts';
import type { EventId, FlagFilter } from '../../src/core/model.ts';
import type { Message } from '../../src/core/protocol/messages.ts';
import type {
  ServerRequest,
  SnapshotAnswer,
  StreamEnd,
  StreamListener,
  Transport,
} from '../../src/transport/contract.ts';
import { letsThrough } from './chaos-filters.ts';
import { createFakeFlagServer, type FakeFlagServer } from './fake-flag-server.ts';
import type { FakeSystem } from './fake-system.ts';
import { createFakeTransport, type FakeStream } from './fake-transport.ts';
import type { WorldAgent } from './hub-world.ts';

export interface ServedStream {
  readonly agent: WorldAgent;
  readonly stream: FakeStream;
  /** The server has accepted it. */
  isLive: boolean;
  /** Nothing gets through any more, and neither side knows. */
  isStalled: boolean;
}

export interface ChaosServer {
  readonly flags: FakeFlagServer;
  readonly token: string;
  /** Neither side has ended them. */
  readonly open: readonly ServedStream[];
  transportOf(agent: WorldAgent): Transport;
  setNetwork(network: 'works' | 'refuses' | 'stalls'): void;
  setSnapshots(mode: 'work' | 'fail' | 'come late'): void;
  /** Ends every stream. */
  cut(): void;
  /** To every stream that is live. */
  send(...messages: Message[]): void;
  /** An event that cannot be read. */
  sendGarbage(): void;
  beat(): void;
  expireToken(): void;
}

const LATE_MS = 3_000;

export function createChaosServer(system: FakeSystem, onOpen: () => void): ChaosServer {
  const flags = createFakeFlagServer();
  const transport = createFakeTransport();
  let streams: ServedStream[] = [];
  let network: 'works' | 'refuses' | 'stalls' = 'works';
  let snapshots: 'work' | 'fail' | 'come late' = 'work';
  let tokens = 1;
  const token = (): string => `token ${tokens}`;
  const open = (): ServedStream[] => {
    streams = streams.filter(({ stream }) => stream.isOpen);
    return streams;
  };
  const live = (): ServedStream[] => open().filter(({ isLive, isStalled }) => isLive && !isStalled);

  const accept = (served: ServedStream): void => {
    const { stream } = served;
    served.isStalled ||= network === 'stalls';
    if (!stream.isOpen || served.isStalled) return;
    const failure = refusal(stream.request);
    served.isLive = failure === undefined;
    if (failure === undefined)
      stream.send(...passing(stream.request.filter, flags.opening(stream.request.after)));
    else stream.end(failure);
  };

  const refusal = (request: ServerRequest): StreamEnd | undefined => {
    if (network === 'refuses') return { ended: 'failed', error: new FlagError('unreachable', 'no network') };
    if (request.accessToken === token()) return undefined;
    return { ended: 'refused', status: 401, retryAfterMs: undefined };
  };

  const snapshotFor = (request: ServerRequest): SnapshotAnswer => {
    const failure = refusal(request);
    if (failure !== undefined) return failure as SnapshotAnswer;
    if (snapshots === 'fail') return { ended: 'refused', status: 503, retryAfterMs: undefined };
    if (isSame(request.after, flags.position)) return { ended: 'not-modified' };
    const [message = flags.snapshot()] = passing(request.filter, [flags.snapshot()]);
    return { ended: 'snapshot', snapshot: message.snapshot };
  };

  const fetchSnapshot = (request: ServerRequest): Promise<SnapshotAnswer> =>
    new Promise((resolve) => {
      request.signal.addEventListener('abort', () => resolve({ ended: 'aborted' }));
      if (request.signal.aborted) resolve({ ended: 'aborted' });
      if (network === 'stalls') return;
      const answer = snapshotFor(request);
      if (snapshots === 'come late') system.after(LATE_MS, () => resolve(answer));
      else resolve(answer);
    });

  return {
    flags,
    get token() {
      return token();
    },
    get open() {
      return open();
    },
    transportOf: (agent) => ({
      stream: (request, listener) => {
        const signal = AbortSignal.any([request.signal, agent.death]);
        const ended = transport.stream({ ...request, signal }, heardBy(agent, signal, listener));
        const served = { agent, stream: transport.latest(), isLive: false, isStalled: false };
        streams.push(served);
        onOpen();
        queueMicrotask(() => accept(served));
        return agent.life.hear(ended);
      },
      fetchSnapshot: (request) => agent.life.hear(fetchSnapshot(request)),
    }),
    setNetwork: (next) => {
      network = next;
      if (next === 'stalls') for (const served of open()) served.isStalled = true;
    },
    setSnapshots: (mode) => {
      snapshots = mode;
    },
    cut: () => {
      for (const { stream } of open()) stream.end();
    },
    send: (...messages) => {
      for (const { stream } of live()) stream.send(...passing(stream.request.filter, messages));
    },
    sendGarbage: () => {
      for (const { stream } of live()) stream.listener.malformed(new FlagError('invalid_data', 'garbage'));
    },
    beat: () => {
      for (const { stream } of live()) stream.beat(flags.position);
    },
    expireToken: () => {
      tokens += 1;
      for (const { stream } of open()) stream.end();
    },
  };
}

/** The messages that the filter lets through, with the flags that it lets through. */
function passing<M extends Message>(filter: FlagFilter | undefined, messages: readonly M[]): M[] {
  return messages.flatMap((message): M[] => {
    if (message.kind === 'change') return letsThrough(filter, message.change.flagKey) ? [message] : [];
    if (message.kind !== 'snapshot') return [message];
    const flags = message.snapshot.flags.filter(({ key }) => letsThrough(filter, key));
    return [{ ...message, snapshot: { ...message.snapshot, flags } }];
  });
}

/** A thread that hangs hears everything when it goes on, in order. */
function heardBy({ life }: WorldAgent, signal: AbortSignal, listener: StreamListener): StreamListener {
  const hear = (tell: () => void): void => life.run(() => signal.aborted || tell());
  return {
    opened: () => hear(() => listener.opened()),
    alive: () => hear(() => listener.alive()),
    quiet: () => hear(() => listener.quiet()),
    position: (id) => hear(() => listener.position(id)),
    received: (messages) => hear(() => listener.received(messages)),
    malformed: (error) => hear(() => listener.malformed(error)),
    retry: (delayMs) => hear(() => listener.retry(delayMs)),
  };
}

function isSame(a: EventId | undefined, b: EventId): boolean {
  return a?.epoch === b.epoch && a.revision === b.revision;
}
