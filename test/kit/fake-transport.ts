/** A transport whose server is the test: it sees every request and says what comes back. */
import type { EventId } from '../../src/core/model.ts';
import type { Message } from '../../src/core/protocol/messages.ts';
import type {
  ServerRequest,
  SnapshotAnswer,
  StreamEnd,
  StreamListener,
  Transport,
} from '../../src/transport/contract.ts';

export interface FakeStream {
  readonly request: ServerRequest;
  readonly listener: StreamListener;
  readonly isOpen: boolean;
  /** The server accepts, and sends these messages as one chunk. */
  send(...messages: Message[]): void;
  /** A heartbeat, which says where the stream stands. */
  beat(position: EventId): void;
  end(end?: StreamEnd): void;
}

export interface FakeTransport extends Transport {
  readonly streams: readonly FakeStream[];
  /** Streams that neither side has ended. */
  readonly open: readonly FakeStream[];
  /** The newest stream; throws when there is none. */
  latest(): FakeStream;
  /** What the next snapshot requests are answered with; without one they fail. */
  answerSnapshots(answer: (request: ServerRequest) => SnapshotAnswer | Promise<SnapshotAnswer>): void;
}

export function createFakeTransport(): FakeTransport {
  const streams: FakeStream[] = [];
  let answer: ((request: ServerRequest) => SnapshotAnswer | Promise<SnapshotAnswer>) | undefined;
  return {
    streams,
    get open() {
      return streams.filter((stream) => stream.isOpen);
    },
    latest: () => {
      const stream = streams.at(-1);
      if (stream === undefined) throw new Error('No stream has been asked for.');
      return stream;
    },
    answerSnapshots: (next) => {
      answer = next;
    },
    stream: (request, listener) =>
      new Promise<StreamEnd>((resolve) => {
        let isOpen = !request.signal.aborted;
        let isAccepted = false;
        const end = (how: StreamEnd): void => {
          isOpen = false;
          resolve(how);
        };
        request.signal.addEventListener('abort', () => end({ ended: 'aborted' }));
        streams.push({
          request,
          listener,
          get isOpen() {
            return isOpen;
          },
          send: (...messages) => {
            if (!isAccepted) listener.opened();
            isAccepted = true;
            listener.alive();
            if (messages.length > 0) listener.received(messages);
          },
          beat: (position) => {
            if (!isAccepted) listener.opened();
            isAccepted = true;
            listener.alive();
            listener.position(position);
          },
          end: (how = { ended: 'closed' }) => end(how),
        });
        if (!isOpen) resolve({ ended: 'aborted' });
      }),
    fetchSnapshot: async (request) =>
      answer?.(request) ?? { ended: 'refused', status: 503, retryAfterMs: undefined },
  };
}
