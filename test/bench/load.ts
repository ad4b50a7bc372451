/**
 * How start and updates depend on the number of flags: time to the first flags without and with storage and without a server, and the bytes
 * that one changed flag costs in storage and towards each tab. Both byte counts must not grow with the number of flags.
 */
import { startClientSite } from '../kit/client-site.ts';
import { type Browser, launchBrowser, type Tab } from '../kit/engines.ts';
import { type FlagServer, startFlagServer } from '../kit/flag-server.ts';
import { buildFlags } from '../kit/flags.ts';
import { editFlag, watchWithClient } from './edits.ts';
import type { Row } from './report.ts';
import { countWorkerBytes, workerBytes } from './worker-bytes.ts';

const FLAG_COUNTS = [100, 1_000, 10_000] as const;
const STARTS = 10;
const EDITS = 20;
const TABS = 2;

export async function benchLoad(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const count of FLAG_COUNTS) rows.push(...(await benchFlags(count)));
  return rows;
}

async function benchFlags(count: number): Promise<readonly Row[]> {
  const [server, site] = await Promise.all([startFlagServer(), startClientSite()]);
  try {
    const flags = buildFlags(count).map((flag) => ({ ...flag, enabled: true }));
    await server.rest('/import', { method: 'POST', body: { flags } });
    const page = `${site.url}/`;
    const starts = await timeStarts(server, page);
    const [edited] = flags;
    if (edited === undefined) throw new Error('There is no flag to edit.');
    await server.restart();
    const bytes = await countBytes(server, page, edited);
    const row = (name: string, unit: Row['unit'], samples: readonly number[]): Row => ({
      name: `${count} flags: ${name}`,
      unit,
      samples,
    });
    return [
      row('first flags, nothing stored', 'ms', starts.coldMs),
      row('first flags, stored, server there', 'ms', starts.warmMs),
      row('first flags, stored, server gone', 'ms', starts.offlineMs),
      row('stored per change', 'bytes', bytes.stored),
      row('to each tab per change', 'bytes', bytes.toEachTab),
    ];
  } finally {
    await Promise.all([server.close(), site.stop()]);
  }
}

interface Starts {
  readonly coldMs: number[];
  readonly warmMs: number[];
  readonly offlineMs: number[];
}

/** Each cold start has a browser of its own; the worker is gone with the last tab, so every start also starts the worker. */
async function timeStarts(server: FlagServer, page: string): Promise<Starts> {
  const starts: Starts = { coldMs: [], warmMs: [], offlineMs: [] };
  for (let index = 0; index < STARTS; index += 1) {
    const browser = await launchBrowser('chromium');
    starts.coldMs.push(await timeStart(browser, server.url, page, 'server'));
    starts.warmMs.push(await timeStart(browser, server.url, page, 'storage'));
    await browser.close();
  }
  const browser = await launchBrowser('chromium');
  await timeStart(browser, server.url, page, 'server');
  await server.stop();
  for (let index = 0; index < STARTS; index += 1) {
    starts.offlineMs.push(await timeStart(browser, server.url, page, 'storage'));
  }
  await browser.close();
  return starts;
}

/** From `createFlagClient` to `ready` in a new tab, milliseconds; throws when the flags came from elsewhere than meant. */
async function timeStart(browser: Browser, url: string, page: string, source: string): Promise<number> {
  const tab = await browser.newTab(page);
  await tab.waitFor(() => window.flagentOffline !== undefined);
  const start = await tab.evaluate(async (serverUrl) => {
    const startMs = performance.now();
    const client = window.flagentOffline.createFlagClient({ url: serverUrl, namespace: 'bench' });
    await client.ready({ timeoutMs: 15_000 });
    return { tookMs: performance.now() - startMs, source: client.status.source };
  }, url);
  if (start.source !== source) throw new Error(`The flags came from ${start.source}, not from ${source}.`);
  // What is shown is stored: the next start finds it.
  await tab.close();
  return start.tookMs;
}

async function countBytes(
  server: FlagServer,
  page: string,
  edited: { readonly id: number; readonly key: string },
): Promise<{ readonly stored: readonly number[]; readonly toEachTab: readonly number[] }> {
  const browser = await launchBrowser('chromium', { waitAtMostMs: 30_000 });
  try {
    const tabs: Tab[] = [];
    for (let index = 0; index < TABS; index += 1) {
      const tab = await browser.newTab(page);
      await tab.waitFor(() => window.flagentOffline !== undefined);
      await watchWithClient(tab, server.url, edited.key);
      tabs.push(tab);
    }
    await countWorkerBytes(browser);
    const stored: number[] = [];
    const toEachTab: number[] = [];
    for (let index = 0; index < EDITS; index += 1) {
      const before = await workerBytes(browser);
      await editFlag(server, tabs, { flagID: edited.id, enabled: index % 2 === 1 });
      const after = await workerBytes(browser);
      stored.push(after.stored - before.stored);
      toEachTab.push((after.sent - before.sent) / TABS);
    }
    return { stored, toEachTab };
  } finally {
    await browser.close();
  }
}
