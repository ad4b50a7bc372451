/** Everything the demo needs on one machine: flag server ← breakable network ← page, and the site that serves the page. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FaultProxy, startFaultProxy, startTestServer, type TestServer } from 'flagent-offline/testing';
import { buildSite } from './build-site.ts';
import { createControl } from './control.ts';
import { readFlagFile } from './read-flag-file.ts';
import { serveSite } from './serve-site.ts';

export interface Demo {
  /** Where the page is, with a trailing slash. */
  readonly url: string;
  /** Where the page finds the flag server: the breakable network, not the server itself. */
  readonly flagServerUrl: string;
  readonly server: TestServer['server'];
  stop(): Promise<void>;
}

/** The page may only read. The token is no secret: every visitor has it. */
const READ_TOKEN = 'demo-read-token';
/** Shorter than the default, so that nobody who stalls the network has to wait for long until it is noticed. */
const HEARTBEAT_MS = 4_000;

/** Builds the page and starts all parts. Port 0 takes a free one; a port that is taken gives the next free one. Needs `npm run build` first. */
export async function startDemo({ port = 4173 }: { readonly port?: number } = {}): Promise<Demo> {
  const flags = await readFlagFile(join(import.meta.dirname, 'flags.json'));
  const writeToken = randomBytes(16).toString('hex');
  const folder = await mkdtemp(join(tmpdir(), 'flagent-offline-demo-'));
  const flagServer = await startTestServer({
    flags,
    database: join(folder, 'flags.db'),
    readTokens: [READ_TOKEN],
    writeTokens: [writeToken],
    keepAliveIntervalMs: HEARTBEAT_MS,
  });
  const network = await startNetwork(flagServer.url, port === 0 ? 0 : port + 1);
  const siteFolder = join(folder, 'site');
  await buildSite({
    outDir: siteFolder,
    page: { flagServerUrl: network.url, readToken: READ_TOKEN, heartbeatMs: HEARTBEAT_MS },
  });
  const control = createControl({ flagServer, network, flags, writeToken });
  const site = await serveSite({ folder: siteFolder, port, control });

  return {
    url: site.url,
    flagServerUrl: network.url,
    server: flagServer.server,
    async stop() {
      await site.close();
      await network.stop();
      await flagServer.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The port beside the page's, so that a page that is still open finds the flag server again when the demo is started anew. */
function startNetwork(target: string, port: number): Promise<FaultProxy> {
  return startFaultProxy(target, { port }).catch(() => startFaultProxy(target));
}
