/** The flag server: puts source, access, REST and streams together, and starts and ends them as one. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FlagError } from '../core/errors.ts';
import { createAccess } from './access.ts';
import { checkOptions, type FlagentServerOptions } from './config.ts';
import { createCors } from './cors.ts';
import { createEncodedSnapshots } from './encoded.ts';
import { createFanOut } from './fan-out.ts';
import { errorAnswer } from './http-error.ts';
import { createRest } from './rest/rest.ts';
import type { FlagSource } from './sources/contract.ts';
import { openSqliteSource } from './sources/sqlite.ts';
import { createSseEndpoint, STREAM_PATH } from './sse-endpoint.ts';

export interface FlagentServer {
  /**
   * Starts to accept. Host default `127.0.0.1`, port default 18 000; port 0 takes a free one. Once per server.
   * Rejects with `environment` when the address is taken or not allowed.
   */
  listen(address?: { readonly host?: string; readonly port?: number }): Promise<{ readonly url: string }>;
  /** Answers one request; for servers that listen by themselves. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  readonly source: FlagSource;
  /** Streams open now. */
  readonly streams: number;
  /** Says `bye` to every stream, lets answers under way end, then closes the source. Takes `closeTimeoutMs` at most. Idempotent. */
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
  const rest = createRest({
    source,
    snapshots,
    checkAccess,
    report,
    counts: () => ({ streams: fanOut.streams, ...sse.counts }),
  });

  function handler(request: IncomingMessage, response: ServerResponse): void {
    try {
      cors.allow(request, response);
      const [path, query] = partsOf(request.url ?? '/');
      if (request.method === 'OPTIONS') cors.preflight(request, response);
      else if (path === STREAM_PATH && request.method === 'GET') {
        checkAccess(request.headers.authorization, 'read');
        sse.open(request, response, new URLSearchParams(query));
      } else rest(request, response);
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

  const http = createServer({ noDelay: true, headersTimeout: 10_000 }, handler);
  let closing: Promise<void> | undefined;

  async function shutDown(): Promise<void> {
    fanOut.drain('The server is closing.');
    if (http.listening) {
      const deadline = setTimeout(() => http.closeAllConnections(), config.closeTimeoutMs);
      await new Promise((resolve) => http.close(resolve));
      clearTimeout(deadline);
    }
    await source.close();
  }

  return {
    async listen({ host = '127.0.0.1', port = 18_000 } = {}) {
      if (closing !== undefined) throw new FlagError('closed', 'The server is closed. Create a new one.');
      await new Promise<void>((resolve, reject) => {
        http.once('error', (error) => reject(explainListen(error, host, port)));
        http.listen(port, host, resolve);
      });
      return { url: urlOf(http.address() as AddressInfo, host) };
    },
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

function urlOf({ port, family }: AddressInfo, host: string): string {
  const isAny = host === '0.0.0.0' || host === '::';
  if (isAny) return `http://localhost:${port}`;
  return `http://${family === 'IPv6' && host.includes(':') ? `[${host}]` : host}:${port}`;
}

const LISTEN_ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process. Choose another port (0 takes a free one), or stop that process',
  EACCES: 'is not allowed for this user. Choose a port from 1024 up',
  EADDRNOTAVAIL: 'is not an address of this machine. Choose another host, such as 127.0.0.1',
  ENOTFOUND: 'is not an address of this machine. Choose another host, such as 127.0.0.1',
};

function explainListen(error: NodeJS.ErrnoException, host: string, port: number): unknown {
  const advice = LISTEN_ADVICE[error.code ?? ''];
  if (advice === undefined) return error;
  return new FlagError('environment', `Port ${port} on ${host} ${advice}.`, { cause: error });
}
