/** Five tabs that note when their status leaves `live` and when they show a revision, for the bench of faults. All times are of `Date.now`, which pages and server share. */
import type { FlagClientOptions } from '../../src/index.ts';
import type { FaultProxy } from '../../src/testing/fault-proxy.ts';
import type { Browser, Tab } from '../kit/browser.ts';
import type { ChaosServer } from '../kit/real-chaos-server.ts';

declare global {
  interface Window {
    noted: {
      /** Since the last `armed`. */
      leftLiveAtMs: number | undefined;
      /** First moment of each revision shown. */
      readonly shown: (readonly [revision: number, atMs: number])[];
    };
  }
}

export interface FaultStage {
  readonly browser: Browser;
  readonly siteUrl: string;
  readonly server: ChaosServer;
  readonly proxy: FaultProxy;
  readonly options: FlagClientOptions;
  /** Those that live; a fault that ends one takes it out. */
  tabs: Tab[];
}

const TABS = 5;

export async function openTabs(stage: FaultStage): Promise<void> {
  const { browser, siteUrl, options } = stage;
  for (let left = TABS; left > 0; left -= 1) {
    const tab = await browser.newTab(`${siteUrl}/`);
    stage.tabs.push(tab);
    await startNotingClient(tab, options);
  }
}

export async function startNotingClient(tab: Tab, options: FlagClientOptions): Promise<void> {
  await tab.waitFor(() => window.flagentOffline !== undefined);
  await tab.evaluate((clientOptions: FlagClientOptions) => {
    const flags = window.flagentOffline.createFlagClient(clientOptions);
    const noted: Window['noted'] = { leftLiveAtMs: undefined, shown: [] };
    const note = (): void => {
      const { connection, revision } = flags.status;
      if (connection.is !== 'live') noted.leftLiveAtMs ??= Date.now();
      if (revision !== undefined && revision > (noted.shown.at(-1)?.[0] ?? -1))
        noted.shown.push([revision, Date.now()]);
    };
    window.flags = flags;
    window.noted = noted;
    flags.onStatus(note);
    flags.subscribeAll(note);
  }, options);
}

/** Until every tab is live and shows a new edit; what is noted from then on belongs to the fault. */
export async function untilQuiet(stage: FaultStage): Promise<void> {
  await untilShown(stage, await edit(stage.server));
  for (const tab of stage.tabs) {
    await tab.waitFor(() => window.flags.status.connection.is === 'live');
    await tab.evaluate(() => {
      window.noted.leftLiveAtMs = undefined;
    });
  }
  stage.server.forgetStreams();
}

/** Changes a flag; gives the revision. */
export async function edit(server: ChaosServer): Promise<number> {
  const { revision } = await server.health();
  await server.rest('/flags/1', { method: 'PUT', body: { description: `edit ${revision + 1}` } });
  return revision + 1;
}

/** When the last tab showed the revision. */
export async function untilShown({ tabs }: FaultStage, revision: number): Promise<number> {
  const shownAtMs: number[] = [];
  for (const tab of tabs) {
    shownAtMs.push(
      (await tab.waitFor(
        (wanted: number) => window.noted.shown.find(([shown]) => shown >= wanted)?.[1],
        revision,
      )) as number,
    );
  }
  return Math.max(...shownAtMs);
}

/** When the first tab said that the connection is not live, if any did. */
export async function firstNoticedAtMs({ tabs }: FaultStage): Promise<number | undefined> {
  const noticed: number[] = [];
  for (const tab of tabs) {
    const atMs = await tab.evaluate(() => window.noted.leftLiveAtMs);
    if (typeof atMs === 'number') noticed.push(atMs);
  }
  return noticed.length === 0 ? undefined : Math.min(...noticed);
}

/** The tab whose hub streams; with a worker the one that started it, which is the first. */
export async function takeLeader(stage: FaultStage): Promise<Tab> {
  let leader = stage.tabs[0];
  for (const tab of stage.tabs) {
    if (await tab.evaluate(() => window.flags.status.host === 'tab')) leader = tab;
  }
  if (leader === undefined) throw new Error('There is no tab.');
  stage.tabs = stage.tabs.filter((tab) => tab !== leader);
  return leader;
}
