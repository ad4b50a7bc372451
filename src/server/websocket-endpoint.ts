/** `/ws`: who may come in, who is told why not, and how all sockets end. What is said on them is the part of their sessions. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { FlagError } from '../core/errors.ts';
import { WEBSOCKET_PROTOCOL } from '../core/protocol/websocket-client-frame.ts';
import type { CheckAccess } from './access.ts';
import { errorAnswer } from './http-error.ts';
import { authorizationOf, checkOrigin } from './websocket-access.ts';
import type { CheckedWebSocketConfig } from './websocket-config.ts';
import { type Connection, joinSession } from './websocket-connection.ts';
import type { SessionParts } from './websocket-session.ts';

export interface WebSocketEndpointOptions extends CheckedWebSocketConfig, Omit<SessionParts, 'onStream'> {
  readonly checkAccess: CheckAccess;
  readonly allowOrigins: readonly string[];
  readonly drainSpreadMs: number;
  /** A client that does not answer a close is cut after this time. */
  readonly closeTimeoutMs: number;
}

export interface WebSocketCounts {
  /** Open now. */
  readonly sockets: number;
  /** Streams begun since the start, one with each `subscribe`. */
  readonly streamsOpened: number;
  /** Those of them that went on with what the client held. */
  readonly resumed: number;
}

export interface WebSocketEndpoint {
  /** The request is one to open a socket here, and not one that only offers another protocol. */
  isUpgrade(request: IncomingMessage): boolean;
  /** Opens a socket, or answers with the status that says why not. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** The path is this one, and there are sockets. */
  isAt(path: string): boolean;
  /**
   * Answers who asks without an upgrade: with what an upgrade would be refused with (throws), or 426. Browsers do not tell a page why a
   * socket was refused; this does.
   */
  explain(request: IncomingMessage, response: ServerResponse): void;
  readonly counts: WebSocketCounts;
  /** Says goodbye to the sockets without a stream (the fan-out does to the others) and takes no new ones. All end in `closeTimeoutMs`. */
  drain(reason: string): void;
}

export function createWebSocketEndpoint(options: WebSocketEndpointOptions): WebSocketEndpoint {
  const { path, enabled, maxConnections, checkAccess, report } = options;
  const connections = new Set<Connection>();
  const totals = { streamsOpened: 0, resumed: 0 };
  let isDraining = false;
  const webSockets = new WebSocketServer(optionsOf(options));
  const pinging = setInterval(() => {
    for (const { ping } of connections) ping();
  }, options.pingIntervalMs);
  pinging.unref();

  /** Throws what the request is to be refused with. */
  function check(request: IncomingMessage): void {
    checkOrigin(request, options.allowOrigins);
    checkAccess(authorizationOf(request), 'read');
    if (isDraining) throw new FlagError('closed', 'The server is closing. Come back later.');
    if (connections.size < maxConnections) return;
    throw new FlagError(
      'closed',
      `The server has its ${maxConnections} sockets. Come back later, or raise maxConnections.`,
    );
  }

  const isAt = (asked: string): boolean => enabled && asked === path;
  const isUpgrade = ({ headers, url = '' }: IncomingMessage): boolean =>
    headers.upgrade?.toLowerCase() === 'websocket' && isAt(url.split('?', 1)[0] ?? '');

  function accept(webSocket: WebSocket, socket: Duplex): void {
    const connection = joinSession({ webSocket, socket, onStream: count, ...options });
    connections.add(connection);
    webSocket.on('close', () => connections.delete(connection));
  }

  function count(how: 'fresh' | 'resumed'): void {
    totals.streamsOpened += 1;
    if (how === 'resumed') totals.resumed += 1;
  }

  return {
    isUpgrade,
    upgrade(request, socket, head) {
      // Until the socket is accepted, a client that goes away must not end the process.
      socket.on('error', () => socket.destroy());
      try {
        // Where HTTP cannot be told beforehand (Node before 24.9), every offer of any protocol comes here.
        if (!isUpgrade(request)) throw notHere(path);
        check(request);
        webSockets.handleUpgrade(request, socket, head, (webSocket) => accept(webSocket, socket));
      } catch (error) {
        refuseUpgrade(socket, error, report);
      }
    },
    isAt,
    explain(request, response) {
      check(request);
      const body = { error: `This is a WebSocket. Open it with the subprotocol ${WEBSOCKET_PROTOCOL}.` };
      response.writeHead(426, {
        'Content-Type': 'application/json',
        Upgrade: 'websocket',
        Connection: 'Upgrade',
      });
      response.end(JSON.stringify(body));
    },
    get counts() {
      return { sockets: connections.size, ...totals };
    },
    drain(reason) {
      isDraining = true;
      clearInterval(pinging);
      for (const { sayGoodbye } of connections) {
        sayGoodbye({ reason, retryAfterMs: Math.round(Math.random() * options.drainSpreadMs) });
      }
    },
  };
}

/** A variable and no literal: `closeTimeout` is known to `ws` and not yet to its types. */
function optionsOf({ maxFrameBytes, closeTimeoutMs }: WebSocketEndpointOptions) {
  return {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    closeTimeout: closeTimeoutMs,
    // Whatever else is offered, above all the token, is not repeated in the answer.
    handleProtocols: (offered: ReadonlySet<string>) => offered.has(WEBSOCKET_PROTOCOL) && WEBSOCKET_PROTOCOL,
  } as const;
}

function notHere(path: string): FlagError {
  return new FlagError(
    'invalid_data',
    `Only WebSockets are opened here, at ${path}. Send the request without an Upgrade header.`,
  );
}

function refuseUpgrade(socket: Duplex, error: unknown, report: (error: unknown) => void): void {
  const { status, headers, body } = errorAnswer(error, report);
  const text = JSON.stringify(body);
  const head = Object.entries({
    Connection: 'close',
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  socket.once('finish', () => socket.destroy());
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...head, '', text].join('\r\n'));
}
