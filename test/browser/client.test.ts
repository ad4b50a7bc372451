/** The client at its edges: nothing to read from, no worker, wrong options, listeners that throw. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Tab } from '../kit/browser.ts';
import { startClientSite } from '../kit/client-site.ts';
import { openClientTab } from '../kit/client-tab.ts';
import { engine } from '../kit/engine-under-test.ts';
import { type FlagServer, startFlagServer } from '../kit/flag-server.ts';
import { buildFlag } from '../kit/flags.ts';
import type { StaticSite } from '../kit/static-site.ts';

declare global {
  interface Window {
    /** What the chosen subscriptions have heard. */
    chosen: string[];
  }
}

let browser: Browser;
let site: StaticSite;
let server: FlagServer;

beforeAll(async () => {
  [browser, site, server] = await Promise.all([engine.launch(), startClientSite(), startFlagServer()]);
  const flags = [
    buildFlag('checkout', { id: 1, tags: [{ id: 1, value: 'web' }] }),
    buildFlag('search', { id: 2, tags: [{ id: 2, value: 'mobile' }] }),
  ];
  await server.rest('/import', { method: 'POST', body: { flags } });
});

afterAll(() => Promise.all([browser.close(), site.stop(), server.close()]));

/** An address where nothing listens any more. */
async function deadUrl(): Promise<string> {
  const dead = await startFlagServer();
  await dead.close();
  return dead.url;
}

const emptyTab = async (): Promise<Tab> => {
  const tab = await browser.newTab(site.url);
  await tab.waitFor(() => window.flagentOffline !== undefined);
  return tab;
};

test('with nothing stored and no server, reads answer nothing at once, and ready says why it gave up', async () => {
  const tab = await openClientTab(browser, site.url, { url: await deadUrl() });
  const outcome = await tab.evaluate(async () => {
    const flag = await window.flags.getFlag('checkout');
    const isEnabled = await window.flags.isEnabled('checkout');
    const failure = await window.flags
      .ready({ timeoutMs: 300 })
      .catch((error: { code: string; message: string }) => error);
    return { flag: flag ?? 'nothing', isEnabled, code: failure?.code, message: failure?.message };
  });
  expect(outcome).toMatchObject({ flag: 'nothing', isEnabled: false, code: 'timeout' });
  expect(outcome.message).toMatch(/^No flags within 300 ms: (waiting|connecting)/);
});

test('where only a worker is wanted, one that cannot be loaded is said in the status, and reads answer nothing', async () => {
  const tab = await openClientTab(browser, site.url, {
    url: server.url,
    host: 'shared-worker',
    worker: { url: '/no-such-worker.js' },
  });
  await tab.waitFor(() => window.flags.status.connection.is === 'stopped');
  const outcome = await tab.evaluate(async () => ({
    connection: window.flags.status.connection,
    flag: (await window.flags.getFlag('checkout')) ?? 'nothing',
  }));
  expect(outcome).toEqual({
    connection: {
      is: 'stopped',
      reason: expect.stringMatching(/^The script of the shared worker could not be loaded/),
    },
    flag: 'nothing',
  });
});

test('where only a worker is wanted, a browser without SharedWorker is said in the status', async () => {
  const tab = await emptyTab();
  await tab.evaluate((url) => {
    Reflect.deleteProperty(window, 'SharedWorker');
    window.flags = window.flagentOffline.createFlagClient({ url, host: 'shared-worker' });
  }, server.url);
  const reason = await tab.waitFor(() => {
    const { connection } = window.flags.status;
    return connection.is === 'stopped' && connection.reason;
  });
  expect(reason).toBe('This browser has no SharedWorker.');
});

test('a wrong option throws at once, with a code and what to do', async () => {
  const tab = await emptyTab();
  const error = await tab.evaluate(() => {
    try {
      window.flagentOffline.createFlagClient({ url: '/flags' });
      return undefined;
    } catch (thrown) {
      return {
        name: (thrown as Error).name,
        code: (thrown as { code?: string }).code,
        message: (thrown as Error).message,
      };
    }
  });
  expect(error).toMatchObject({ name: 'FlagError', code: 'invalid_option' });
  expect(error?.message).toContain('url must be the absolute http(s) address of the flag server');
});

test('subscribers hear what they asked for, and one that throws does not keep the others from hearing', async () => {
  const tab = await openClientTab(browser, site.url, { url: server.url });
  await tab.evaluate(async () => {
    await window.flags.ready();
    const heard: string[] = [];
    window.chosen = heard;
    const note =
      (who: string) =>
      (change: { flagKey: string; type: string | undefined; flag: { enabled: boolean } | undefined }) =>
        heard.push(`${who}: ${change.flagKey} ${change.type} ${change.flag?.enabled}`);
    window.flags.subscribeAll(() => {
      throw new Error('a listener of the application is broken');
    });
    window.flags.subscribe('checkout', note('by key'));
    window.flags.subscribe({ flagKeys: ['search'] }, note('by keys'));
    window.flags.subscribe({ tags: ['web'] }, note('by tag'));
    window.flags.subscribe({ segmentsOf: 'checkout' }, note('by segments'));
    const stop = window.flags.subscribe('checkout', note('stopped'));
    stop();
  });
  await server.rest('/flags/1/enabled', { method: 'PUT', body: { enabled: false } });
  await tab.waitFor(() => window.chosen.length >= 2);
  await server.rest('/flags/1/segments/10', {
    method: 'PUT',
    body: { description: 'half', rolloutPercent: 50 },
  });
  await tab.waitFor(() => window.chosen.length >= 5);
  expect(await tab.evaluate(() => window.chosen)).toEqual([
    'by key: checkout FLAG_DISABLED false',
    'by tag: checkout FLAG_DISABLED false',
    'by key: checkout SEGMENT_UPDATED false',
    'by tag: checkout SEGMENT_UPDATED false',
    'by segments: checkout SEGMENT_UPDATED false',
  ]);
  expect(tab.complaints.join()).toContain('a listener of the application is broken');
});

test('a token function is asked, and a client that was closed says so', async () => {
  const closed = await openClientTab(browser, site.url, { url: server.url, namespace: 'tokens' });
  const outcome = await closed.evaluate(async (url) => {
    await window.flags.ready();
    let asked = 0;
    const other = window.flagentOffline.createFlagClient({
      url,
      namespace: 'with a function',
      accessToken: async () => {
        asked += 1;
        return 'from-a-function';
      },
    });
    await other.ready({ timeoutMs: 10_000 });
    await other.close();
    const held = other.peekFlags().size;
    const refusal = await other.refresh().catch((error: { code: string }) => error.code);
    return { asked, held, refusal, connection: other.status.connection };
  }, server.url);
  expect(outcome).toEqual({
    asked: 1,
    held: 2,
    refusal: 'closed',
    connection: { is: 'stopped', reason: 'closed' },
  });
});

test('the worker file also runs as a module script, made by the application', async () => {
  const tab = await emptyTab();
  const status = await tab.evaluate(async (url) => {
    const create = () => new SharedWorker('/shared-worker.js', { type: 'module', name: 'as a module' });
    window.flags = window.flagentOffline.createFlagClient({ url, namespace: 'module', worker: { create } });
    await window.flags.ready({ timeoutMs: 10_000 });
    return window.flags.status;
  }, server.url);
  expect(status).toMatchObject({ host: 'shared-worker', source: 'server' });
});
