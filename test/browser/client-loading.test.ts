/** The client is two files: `index.js` reads, `link-tab.js` reaches the hub and is loaded beside it. Here the second one is late, missing, or not wanted any more. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Browser } from '../kit/browser.ts';
import { openClientTab } from '../kit/client-tab.ts';
import { engine } from '../kit/engine-under-test.ts';
import { type FlagServer, startFlagServer } from '../kit/flag-server.ts';
import { buildFlag } from '../kit/flags.ts';
import { type StaticSite, startStaticSite } from '../kit/static-site.ts';

const DIST = resolve(import.meta.dirname, '../../dist');
const PAGE = resolve(import.meta.dirname, '../kit/page');
const LATE_FILE = 'link-tab.js';

let browser: Browser;
let server: FlagServer;
let site: StaticSite;
/** A copy of `dist`, so far without the late file. */
let folder: string;

beforeAll(async () => {
  [browser, server] = await Promise.all([engine.launch(), startFlagServer()]);
  await server.rest('/import', { method: 'POST', body: { flags: [buildFlag('checkout', { id: 1 })] } });
});

afterAll(() => Promise.all([browser.close(), server.close()]));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flagent-late-'));
  await cp(DIST, folder, { recursive: true });
  await rm(join(folder, LATE_FILE));
  site = await startStaticSite({ folders: [PAGE, folder] });
});

afterEach(async () => {
  await site.stop();
  await rm(folder, { recursive: true });
});

const bringLateFile = (): Promise<void> => cp(join(DIST, LATE_FILE), join(folder, LATE_FILE));

const attempts = (): number => site.requests.filter((path) => path === `/${LATE_FILE}`).length;

test('as long as the file is missing the status says why, reads answer nothing, and nothing is thrown; when it is there, flags come without a reload', async () => {
  const tab = await openClientTab(browser, site.url, { url: server.url });
  const reason = await tab.waitFor(() => {
    const { connection } = window.flags.status;
    return connection.is === 'stopped' && connection.reason;
  });
  expect(reason).toMatch(
    /^A file of this package could not be loaded\. Reload the page if that lasts\. TypeError/,
  );
  const outcome = await tab.evaluate(async () => ({
    flag: (await window.flags.getFlag('checkout')) ?? 'nothing',
    reason: (await window.flags.evaluate({ flagKey: 'checkout', entityID: 'a' })).reason,
    size: window.flags.peekFlags().size,
    refusal: await window.flags
      .ready({ timeoutMs: 100 })
      .catch(({ code, message }: { code: string; message: string }) => ({ code, message })),
  }));
  expect(outcome).toMatchObject({
    flag: 'nothing',
    reason: 'FLAG_NOT_FOUND',
    size: 0,
    refusal: { code: 'timeout' },
  });
  expect(outcome.refusal?.message).toMatch(/^No flags within 100 ms: stopped, A file of this package/);

  const statuses = await tab.evaluate(async () => {
    const seen: string[] = [];
    window.flags.onStatus(({ connection }) => seen.push(connection.is));
    return seen;
  });
  expect(statuses).toEqual([]);
  await bringLateFile();
  await tab.evaluate(() => window.dispatchEvent(new Event('online')) && undefined);
  await tab.waitFor(() => window.flags.peekFlag('checkout') !== undefined);
  expect(tab.complaints.filter((complaint) => /TypeError|uncaught|unhandled/i.test(complaint))).toEqual([]);
  await tab.close();
});

test('it is tried again without a sign from the browser, and calls made before it is there wait for it', async () => {
  const tab = await openClientTab(browser, site.url, { url: server.url, firstReadTimeoutMs: 40_000 });
  const calls = tab.evaluate(async () => {
    const refreshed = window.flags.refresh().then(() => window.flags.peekFlags().size);
    return [await refreshed, (await window.flags.debug()).tabs.length];
  });
  await expect.poll(attempts, { timeout: 20_000 }).toBeGreaterThan(1);
  await bringLateFile();
  expect(await calls).toEqual([1, 1]);
  await tab.close();
});

test('a client that is closed before the file is there starts nothing', async () => {
  await expect.poll(async () => (await server.health()).streams, { timeout: 20_000 }).toBe(0);
  const tab = await openClientTab(browser, site.url, { url: server.url, namespace: 'left' });
  await tab.waitFor(() => window.flags.status.connection.is === 'stopped');
  const refusals = await tab.evaluate(async () => {
    const codeOf = (call: Promise<unknown>) => call.then(String, ({ code }: { code: string }) => code);
    const waiting = [window.flags.ready(), window.flags.refresh()].map(codeOf);
    await window.flags.close();
    return Promise.all([...waiting, codeOf(window.flags.debug()), codeOf(window.flags.close())]);
  });
  expect(refusals).toEqual(['closed', 'closed', 'closed', 'undefined']);
  const before = attempts();
  await bringLateFile();
  await tab.evaluate(() => window.dispatchEvent(new Event('online')) && undefined);
  expect(await tab.evaluate(() => window.flags.status.connection)).toEqual({
    is: 'stopped',
    reason: 'closed',
  });

  const next = await openClientTab(browser, site.url, { url: server.url, namespace: 'next' });
  await next.waitFor(() => window.flags.status.connection.is === 'live');
  // The next client asks for the file itself, and has the only stream.
  expect(attempts()).toBe(before + 1);
  expect(await server.health()).toMatchObject({ streams: 1 });
  await Promise.all([tab.close(), next.close()]);
});
