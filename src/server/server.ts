/** The flag server: puts source, access, REST, streams and sockets together, and starts and ends them as one. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { FlagError } from '../core/errors.ts';
import { createAccess } from './access.ts';
import { checkOptions, type FlagentServerOptions } from './config.ts';
import { createCors } from './cors.ts';
import { createDoor } from './door.ts';
import { createEncodedSnapshots } from './encoded.ts';
import { evaluateAsServer } from './evaluate-flags.ts';
import { createFanOut } from './fan-out.ts';
import { errorAnswer } from './http-error.ts';
import { createRest } from './rest/rest.ts';
import type { FlagSource } from './sources/contract.ts';
import { openSqliteSource } from './sources/sqlite.ts';
import { createSseEndpoint, STREAM_PATH } from './sse-endpoint.ts';
import { createWebSocketEndpoint } from './websocket-endpoint.ts';

export interface FlagentServer {
  /**
   * Starts to accept. Host default `127.0.0.1`, port default 18 000; port 0 takes a free one. Once per server.
   * Rejects with `environment` when an address is taken or not allowed.
   */
  listen(address?: { readonly host?: string; readonly port?: number }): Promise<{
    readonly url: string;
    /** Where WebSockets are opened; `undefined` when there are none. */
    readonly webSocketUrl: string | undefined;
  }>;
  /** Answers one request; for servers that listen by themselves. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  /** Opens a WebSocket; for servers that listen by themselves, on their event `upgrade`. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly source: FlagSource;
  /** Streams open now, on WebSockets too. */
  readonly streams: number;
  /** Says `bye` to every stream and socket, lets answers under way end, then closes the source. Takes `closeTimeoutMs` at most. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the database and builds the server; `listen` makes it reachable. Throws `invalid_option` and `environment`.
 *
 * @example
 * const server = createFlagentServer({ database: ':memory:', writeTokens: ['secret'] });
 * const { url } = await server.listen({ port: 0 });
 */
export function createFlagentServer(options: FlagentServerOptions = {}): FlagentServer {
  const config = checkOptions(options);
  const { keptChanges, nowMs, report } = config;
  const source = config.source ?? openSqliteSource({ file: config.database, keptChanges, nowMs, report });
  const snapshots = createEncodedSnapshots(source, nowMs);
  const fanOut = createFanOut({ ...config, source, snapshots });
  const sse = createSseEndpoint(fanOut, config.maxStreams);
  const checkAccess = createAccess(config);
  const cors = createCors(config.allowOrigins);
  const sockets = createWebSocketEndpoint({
    ...config,
    ...config.websocket,
    fanOut,
    checkAccess,
    evaluate: (question) => evaluateAsServer(source, question),
  });
  const rest = createRest({
    source,
    snapshots,
    checkAccess,
    report,
    nowMs,
    counts: () => ({
      streams: fanOut.streams,
      sockets: sockets.counts.sockets,
      streamsOpened: sse.counts.streamsOpened + sockets.counts.streamsOpened,
      resumed: sse.counts.resumed + sockets.counts.resumed,
    }),
  });

  function handler(request: IncomingMessage, response: ServerResponse): void {
    try {
      cors.allow(request, response);
      const [path, query] = partsOf(request.url ?? '/');
      if (request.method === 'OPTIONS') cors.preflight(request, response);
      else if (path === STREAM_PATH && request.method === 'GET') {
        checkAccess(request.headers.authorization, 'read');
        sse.open(request, response, new URLSearchParams(query));
      } else if (sockets.isAt(path) && request.method === 'GET') sockets.explain(request, response);
      else rest(request, response);
    } catch (error) {
      answerError(response, error);
    }
  }

  function answerError(response: ServerResponse, error: unknown): void {
    const { status, headers, body } = errorAnswer(error, report);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(status, { ...headers, 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  const { enabled, port: ownPort } = config.websocket;
  const hasOwnDoor = enabled && ownPort !== undefined;
  const door = createDoor({ handler, sockets: enabled && !hasOwnDoor ? sockets : undefined });
  const socketDoor = hasOwnDoor ? createDoor({ handler, sockets }) : undefined;
  const doors = socketDoor === undefined ? [door] : [door, socketDoor];
  let closing: Promise<void> | undefined;

  async function shutDown(): Promise<void> {
    const reason = 'The server is closing.';
    fanOut.drain(reason);
    sockets.drain(reason);
    const deadline = setTimeout(() => {
      for (const { cut } of doors) cut();
    }, config.closeTimeoutMs);
    await Promise.all(doors.map(({ close }) => close()));
    clearTimeout(deadline);
    await source.close();
  }

  return {
    async listen({ host = '127.0.0.1', port = 18_000 } = {}) {
      if (closing !== undefined) throw new FlagError('closed', 'The server is closed. Create a new one.');
      const { url } = await door.open(host, port);
      const socketUrl = socketDoor === undefined ? url : (await socketDoor.open(host, ownPort ?? 0)).url;
      const webSocketUrl = socketUrl.replace(/^http/, 'ws') + config.websocket.path;
      return { url, webSocketUrl: enabled ? webSocketUrl : undefined };
    },
    upgrade: sockets.upgrade,
    handler,
    source,
    get streams() {
      return fanOut.streams;
    },
    close() {
      closing ??= shutDown();
      return closing;
    },
  };
}

function partsOf(url: string): readonly [path: string, query: string] {
  const at = url.indexOf('?');
  return at === -1 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}
