/** `GET /api/v1/events/stream` on Node's own request and response: a body that never ends, and whose queue must be seen. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FlagError } from '../core/errors.ts';
import { decodeEventId } from '../core/protocol/event-id.ts';
import { encodeSseComment } from '../core/protocol/sse-frame.ts';
import type { FanOut, StreamSink } from './fan-out.ts';
import { readFilterQuery } from './filter-query.ts';
import { SSE_ENCODING } from './stream-encoding.ts';

export const STREAM_PATH = '/api/v1/events/stream';

/** Safari keeps the first 512 bytes back, and Firefox the whole answer until one byte of the body is there. */
const OPENING = Buffer.from(encodeSseComment('flagent-offline '.padEnd(1024, '.')));

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // no-transform: a proxy that compresses would hold events back. no-store: with `no-cache` Firefox writes the endless answer into its
  // cache, and the next reader of the same address waits for the end of it.
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  Connection: 'keep-alive',
} as const;

export interface StreamCounts {
  /** Streams accepted since the start. */
  readonly streamsOpened: number;
  /** Those of them that went on with what they held. */
  readonly resumed: number;
}

export interface SseEndpoint {
  /** The request is a GET and may read. Throws before anything is sent when the filter is wrong or the snapshot too large. */
  open(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void;
  readonly counts: StreamCounts;
}

export function createSseEndpoint(fanOut: FanOut, maxStreams: number): SseEndpoint {
  let streamsOpened = 0;
  let resumed = 0;
  let open = 0;

  return {
    open(request, response, query) {
      if (open >= maxStreams) {
        throw new FlagError(
          'closed',
          `The server has its ${maxStreams} streams. Come back later, or raise maxStreams.`,
        );
      }
      const wish = {
        filter: readFilterQuery(query),
        after: decodeEventId(request.headers['last-event-id']?.toString()),
        encoding: SSE_ENCODING,
      };
      const { bytes, isResumed } = fanOut.firstBytes(wish);
      open += 1;
      streamsOpened += 1;
      if (isResumed) resumed += 1;
      request.socket.setNoDelay(true);
      response.writeHead(200, HEADERS);
      response.write(OPENING);
      // Reading what was missed and attaching happen in one step: nothing is committed in between.
      const detach = fanOut.attach(wish, sinkOf(response), bytes);
      response.on('close', () => {
        open -= 1;
        detach();
      });
      response.on('error', detach);
    },
    get counts() {
      return { streamsOpened, resumed };
    },
  };
}

function sinkOf(response: ServerResponse): StreamSink {
  return {
    write: (bytes, flushed) => void response.write(bytes, flushed),
    get queuedBytes() {
      return response.writableLength;
    },
    // Without this the kept-alive connection would stay open after the last byte, and hold up the server's close.
    end: (bytes) => void response.end(bytes, () => response.socket?.destroySoon()),
    destroy: () => void response.destroy(),
  };
}
