/** Serves folders on loopback. The origin survives `stop` and `start`, so that a test can take the server away from an installed app. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { listenOnLoopback } from '../../src/testing/listen-on-loopback.ts';

const MIME_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.wasm': 'application/wasm',
};

export interface StaticSite {
  /** Without a trailing slash: `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Paths asked for since the start, in order; those that were not there too. */
  readonly requests: readonly string[];
  /** Refuses connections from now on, and ends the open ones. */
  stop(): Promise<void>;
  /** Serves again under the same origin. */
  start(): Promise<void>;
}

export interface StaticSiteOptions {
  /** The first folder that has the file gives it. */
  readonly folders: readonly string[];
  /** Added to every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Paths for which the answer never comes. */
  readonly unanswered?: readonly string[];
}

export async function startStaticSite({
  folders,
  headers = {},
  unanswered = [],
}: StaticSiteOptions): Promise<StaticSite> {
  const requests: string[] = [];
  const serve = (): Server =>
    createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://site');
      requests.push(pathname);
      if (!unanswered.includes(pathname)) void answer(response, folders, pathname, headers);
    });
  let server = serve();
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    async start() {
      server = serve();
      await listenOnLoopback(server, port);
    },
  };
}

async function answer(
  response: ServerResponse,
  folders: readonly string[],
  pathname: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
  const body = await readFromFirst(folders, path);
  if (body === undefined) {
    response.writeHead(404, { 'Content-Type': 'text/plain', ...headers }).end(`No file ${path}`);
    return;
  }
  response
    .writeHead(200, {
      'Content-Type': MIME_TYPES[extname(path)] ?? 'application/octet-stream',
      // The file may change between two requests of one test.
      'Cache-Control': 'no-cache',
      ...headers,
    })
    .end(body);
}

async function readFromFirst(folders: readonly string[], path: string): Promise<Buffer | undefined> {
  for (const folder of folders) {
    const root = resolve(folder);
    const file = join(root, decodeURIComponent(path));
    if (!file.startsWith(root + sep)) continue;
    const body = await readFile(file).catch(() => undefined);
    if (body !== undefined) return body;
  }
  return undefined;
}
