/** Each transport with a server that speaks its wire and does as it is told: what all of them must do is tested over these. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type WebSocket as AcceptedSocket, WebSocketServer } from 'ws';
import type { EventId } from '../../src/core/model.ts';
import { encodeEventId } from '../../src/core/protocol/event-id.ts';
import { encodeMessage, type Message } from '../../src/core/protocol/messages.ts';
import { encodeSsePosition } from '../../src/core/protocol/sse-frame.ts';
import {
  BEARER_PROTOCOL_PREFIX,
  decodeClientFrame,
  WEBSOCKET_PROTOCOL,
} from '../../src/core/protocol/websocket-client-frame.ts';
import {
  encodeWebSocketEvent,
  encodeWebSocketPosition,
} from '../../src/core/protocol/websocket-server-frame.ts';
import { textFrame } from '../../src/server/websocket-bytes.ts';
import type { Transport } from '../../src/transport/contract.ts';
import type { FetchLike } from '../../src/transport/fetch-like.ts';
import { createSseTransport } from '../../src/transport/sse.ts';
import { createWebSocketTransport, type WebSocketTransportOptions } from '../../src/transport/websocket.ts';
import type { WebSocketConstructor } from '../../src/transport/websocket-like.ts';
import { MAX_EVENT_LENGTH, NOW_MS, serve, startStream, stopWithServers, wire } from './transport-kit.ts';

/** The server's end of one stream. */
export interface Peer {
  /** The address as it was asked for, without the origin. */
  readonly address: string;
  readonly token: string | undefined;
  readonly after: string | undefined;
  /** Names by kind, as the model has them; `undefined` for all flags. */
  readonly filter: object | undefined;
  send(message: Message): void;
  /** A change whose data is not one: `flag_updated` without a key. */
  sendMalformed(): void;
  position(id: EventId): void;
  /** The first half of a message, and then the end of the connection. */
  sendHalf(message: Message): void;
  end(): void;
  reset(): void;
  readonly closed: Promise<void>;
}

export interface Wire {
  readonly name: string;
  readonly transport: Transport;
  /** The same over a platform that never answers. */
  readonly deaf: Transport;
  /** The same over a platform that must not be asked. */
  readonly forbidden: Transport;
  /** A server that lets `play` act on each stream. */
  accept(play: (peer: Peer) => void): Promise<string>;
}

const BAD_DATA = '{"type":"FLAG_UPDATED","revision":2}';
const system = { nowMs: () => NOW_MS, after: () => () => {} };
const never: FetchLike = () => new Promise(() => {});
const forbidden: FetchLike = () => {
  throw new Error('asked');
};

const sse = (by: FetchLike): Transport =>
  createSseTransport({ fetch: by, system, maxEventLength: MAX_EVENT_LENGTH });

export const SSE_WIRE: Wire = {
  name: 'sse',
  transport: sse(fetch),
  deaf: sse(never),
  forbidden: sse(forbidden),
  accept: (play) =>
    serve((request, response) => {
      const { searchParams: query, pathname, search } = new URL(request.url ?? '', 'http://a');
      const names = (name: string) => query.getAll(name);
      startStream(response);
      const write = (text: string | Buffer) => void response.write(text);
      play({
        address: pathname + search,
        token: request.headers.authorization?.replace('Bearer ', ''),
        after: request.headers['last-event-id']?.toString(),
        filter:
          search === ''
            ? undefined
            : {
                flagKeys: names('flagKey'),
                flagIDs: names('flagID').map(Number),
                tags: names('tag'),
                segmentsOf: names('segmentsOf'),
              },
        send: (message) => write(wire(message)),
        sendMalformed: () => write(`id: e.2\nevent: flag_updated\ndata: ${BAD_DATA}\n\n`),
        position: (id) => write(encodeSsePosition(id)),
        sendHalf: (message) => {
          const bytes = Buffer.from(wire(message));
          write(bytes.subarray(0, bytes.length / 2));
          response.end();
        },
        end: () => void response.end(),
        reset: () => response.socket?.resetAndDestroy(),
        closed: new Promise((done) => response.on('close', done)),
      });
    }),
};

export function createTestWebSocketTransport(options: Partial<WebSocketTransportOptions> = {}): Transport {
  return createWebSocketTransport({ WebSocket, fetch, system, maxEventLength: MAX_EVENT_LENGTH, ...options });
}

/** Stays in the state of connecting for ever. */
const DeafWebSocket = class {
  protocol = '';
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  send(): void {}
  close(): void {}
} satisfies WebSocketConstructor;

const ForbiddenWebSocket = class extends DeafWebSocket {
  constructor() {
    super();
    throw new Error('asked');
  }
} satisfies WebSocketConstructor;

/** Lets `onSocket` act on each socket as soon as it is open. */
export async function acceptSockets(
  onSocket: (socket: AcceptedSocket, request: IncomingMessage, raw: Socket) => void,
  protocol: string | false = WEBSOCKET_PROTOCOL,
): Promise<string> {
  const http = createServer((_, response) => response.writeHead(426).end());
  const sockets = new WebSocketServer({ server: http, handleProtocols: () => protocol });
  const open = new Set<Socket>();
  http.on('connection', (socket: Socket) => open.add(socket));
  stopWithServers(() => {
    http.close();
    for (const socket of open) socket.destroy();
  });
  sockets.on('connection', (socket, request) => onSocket(socket, request, request.socket));
  await new Promise<void>((ready) => http.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

export const WEBSOCKET_WIRE: Wire = {
  name: 'websocket',
  transport: createTestWebSocketTransport(),
  deaf: createTestWebSocketTransport({ WebSocket: DeafWebSocket, fetch: never }),
  forbidden: createTestWebSocketTransport({ WebSocket: ForbiddenWebSocket, fetch: forbidden }),
  accept: (play) =>
    acceptSockets((socket, request, raw) => {
      const offered = request.headers['sec-websocket-protocol']?.split(/ *, */) ?? [];
      const bearer = offered.find((name) => name.startsWith(BEARER_PROTOCOL_PREFIX));
      const token =
        bearer && Buffer.from(bearer.slice(BEARER_PROTOCOL_PREFIX.length), 'base64url').toString();
      const closed = new Promise<void>((done) => raw.on('close', () => done()));
      socket.on('message', (data) => {
        const decoded = decodeClientFrame(data.toString());
        if (!decoded.ok || decoded.frame.kind !== 'subscribe') return;
        const { id, filter, after } = decoded.frame;
        socket.send(JSON.stringify({ type: 'subscribed', id }));
        play({
          address: request.url ?? '',
          token,
          after: after && encodeEventId(after),
          filter,
          send: (message) => socket.send(encodeWebSocketEvent(encodeMessage(message))),
          sendMalformed: () =>
            socket.send(encodeWebSocketEvent({ event: 'flag_updated', id: 'e.2', data: BAD_DATA })),
          position: (at) => socket.send(encodeWebSocketPosition(at)),
          sendHalf: (message) => {
            const bytes = textFrame(encodeWebSocketEvent(encodeMessage(message)));
            raw.end(bytes.subarray(0, bytes.length / 2));
          },
          end: () => socket.close(1000),
          reset: () => raw.resetAndDestroy(),
          closed,
        });
      });
    }),
};
