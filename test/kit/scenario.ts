/**
 * Scenarios: what users live through, played by real tabs against a real server behind a proxy that breaks on command. Each one runs on
 * both hosts, and ends with the promise of one stream.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FlagClientOptions } from '../../src/index.ts';
import type { FaultProxy } from '../../src/testing/fault-proxy.ts';
import type { Browser, LaunchOptions } from './browser.ts';
import { startClientSite } from './client-site.ts';
import { type ClientTab, openClientTab } from './client-tab.ts';
import { engine } from './engine-under-test.ts';
import { limitOf } from './scenario-limits.ts';
import { type AskedServer, type ScenarioServer, startScenarioServer } from './scenario-server.ts';
import type { StaticSite } from './static-site.ts';
import { type StreamWatch, watchStreams } from './watch-streams.ts';

/** `tab`: the browser has no SharedWorker, so the fallback is what runs. */
export type ScenarioHost = 'shared-worker' | 'tab';

/** What `page/take-away.js` can take from a browser. */
export type Missing = 'SharedWorker' | 'locks' | 'indexedDB' | 'indexedDB answers' | 'room';

export interface Play {
  readonly host: ScenarioHost;
  readonly browser: Browser;
  readonly site: StaticSite;
  readonly server: ScenarioServer;
  readonly proxy: FaultProxy;
  /** Opens a tab and makes its client. Differing options replace those of the play. */
  open(how?: Partial<FlagClientOptions> & { readonly without?: readonly Missing[] }): Promise<ClientTab>;
  openMany(count: number, how?: Parameters<Play['open']>[0]): Promise<readonly ClientTab[]>;
  /** Address of a page that has lost what is named, on top of what the host has not. */
  pageUrl(without?: readonly Missing[]): string;
  readonly options: FlagClientOptions;
  /** Changes a flag; gives the revision. */
  edit(): Promise<number>;
  /** An edit, and every tab shows it. Gives the revision. */
  editReaches(tabs: readonly ClientTab[]): Promise<number>;
}

/** Numbers that let nothing wait for long; the policy itself stays as it is. */
const QUICK = {
  retryBaseMs: 100,
  retryCapMs: 1_000,
  silenceMs: 2_000,
  connectTimeoutMs: 2_000,
  wakeUpJitterMs: 20,
  shortLivedMs: 50,
  pollMs: 300,
} as const;

/** The server may need this long to learn that a stream was closed. */
const LEARNS_OF_CLOSE_WITHIN_MS = 250;

export interface Stage {
  /** Browser, site and server, shared by the scenarios of a file. */
  readonly browser: Browser;
  readonly site: StaticSite;
  readonly server: ScenarioServer;
}

export type DefineScenario = (
  name: string,
  run: (play: Play) => Promise<void>,
  how?: {
    readonly hosts?: readonly ScenarioHost[];
    /** How many streams there are by design. Default 1. */
    readonly streams?: number;
    /** Default 60 s. */
    readonly timeoutMs?: number;
  },
) => void;

const HOSTS: readonly ScenarioHost[] = ['shared-worker', 'tab'];

let plays = 0;

/** Launches one browser for the scenarios of this file, which are defined by calling the answer. */
export function stageScenarios(launch: LaunchOptions = {}): DefineScenario {
  let stage: Stage;
  beforeAll(async () => {
    const [browser, site, server] = await Promise.all([
      engine.launch(launch),
      startClientSite(),
      startScenarioServer(),
    ]);
    // A window without a client keeps the browser itself alive.
    await browser.newTab();
    stage = { browser, site, server };
  });
  afterAll(async () => {
    await stage?.browser.close();
    await stage?.site.stop();
    await stage?.server.close();
  });

  return (name, run, { hosts = HOSTS, streams = 1, timeoutMs = 60_000 } = {}) => {
    for (const host of hosts) {
      const limit = limitOf(name, engine.name, host);
      const title = `${name} (${host})`;
      if (limit !== undefined) test.skip(`${title} — not here: ${limit.because}`);
      else test(title, () => playOnce(watchStreams(stage.server, streams), stage, host, run), timeoutMs);
    }
  };
}

async function playOnce(
  watch: StreamWatch,
  stage: Stage,
  host: ScenarioHost,
  run: (play: Play) => Promise<void>,
): Promise<void> {
  const tabs: ClientTab[] = [];
  try {
    await run(createPlay(stage, host, tabs));
  } finally {
    await stage.server.proxy.restore();
    // Some have crashed.
    for (const tab of tabs) await tab.close().catch(() => {});
    await watch.stop();
  }
  expectOneStream(watch);
  await waitForStreams(stage.server, 0);
}

export function expectOneStream({ longestMs }: StreamWatch): void {
  expect(longestMs, 'milliseconds with more than one stream').toBeLessThanOrEqual(LEARNS_OF_CLOSE_WITHIN_MS);
}

function createPlay(stage: Stage, host: ScenarioHost, tabs: ClientTab[]): Play {
  const { browser, site, server } = stage;
  plays += 1;
  const options: FlagClientOptions = {
    url: server.proxy.url,
    namespace: `scenario ${plays}`,
    connection: QUICK,
  };
  const pageUrl = (without: readonly Missing[] = []): string => {
    const missing = host === 'tab' ? ['SharedWorker', ...without] : without;
    return missing.length === 0 ? `${site.url}/` : `${site.url}/lesser.html?${query(missing)}`;
  };
  const open: Play['open'] = async ({ without = [], ...differing } = {}) => {
    const lesserWorker =
      host === 'shared-worker' && without.length > 0
        ? { worker: { url: `/lesser-worker.js?${query(without)}` } }
        : {};
    const tab = await openClientTab(browser, pageUrl(without), { ...options, ...lesserWorker, ...differing });
    tabs.push(tab);
    return tab;
  };
  const edit = (): Promise<number> => editFlag(server);
  return {
    ...stage,
    host,
    proxy: server.proxy,
    options,
    pageUrl,
    open,
    openMany: (count, how) => Promise.all(Array.from({ length: count }, () => open(how))),
    edit,
    editReaches: async (reached) => {
      const revision = await edit();
      for (const tab of reached) await tab.reaches(revision);
      return revision;
    },
  };
}

function query(without: readonly string[]): string {
  return without.map((name) => `without=${encodeURIComponent(name)}`).join('&');
}

/** Turns a flag over; gives the revision of the change. */
export async function editFlag(server: AskedServer, id = 1): Promise<number> {
  const { enabled } = (await server.rest(`/flags/${id}`)) as { enabled: boolean };
  await server.rest(`/flags/${id}/enabled`, { method: 'PUT', body: { enabled: !enabled } });
  return (await server.health()).revision;
}

/** The server learns of a closed connection a moment later. */
export async function waitForStreams(server: AskedServer, wanted: number): Promise<void> {
  await expect.poll(async () => (await server.health()).streams, { timeout: 15_000 }).toBe(wanted);
}

/** The tab whose hub streams. With a SharedWorker that is no tab in particular. */
export async function findLeader(tabs: readonly ClientTab[]): Promise<ClientTab> {
  let leader: ClientTab | undefined;
  const look = async (): Promise<void> => {
    for (const tab of tabs) {
      const leads = await tab.evaluate(() => {
        const { host, connection } = window.flags.status;
        return host !== 'follower' && connection.is === 'live';
      });
      if (leads) leader = tab;
    }
    if (leader === undefined) throw new Error('No tab leads.');
  };
  await expect.poll(() => look().then(() => 'found', String), { timeout: 15_000 }).toBe('found');
  if (leader === undefined) throw new Error('No tab leads.');
  return leader;
}
