/** The main job with real parts: a server process with its database, a SharedWorker, IndexedDB, tabs of a real browser. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Flag } from '../../src/core/model.ts';
import { readFlags } from '../../src/core/protocol/decode-flag.ts';
import type { FlagClientOptions } from '../../src/index.ts';
import type { Browser, LaunchOptions, Tab } from '../kit/browser.ts';
import { startClientSite } from '../kit/client-site.ts';
import { flagsAsJson, openClientTab, startClient } from '../kit/client-tab.ts';
import { engine } from '../kit/engine-under-test.ts';
import { startFlagServer } from '../kit/flag-server.ts';
import { buildFlags } from '../kit/flags.ts';

/** Of all tests that need nothing special: each has an origin and a server of its own, which keeps them apart. */
let shared: Browser;
beforeAll(async () => {
  shared = await engine.launch();
});
afterAll(() => shared.close());

const cleanUps: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** The same browser, with the tabs of one test closed after it. */
function borrow(browser: Browser): Browser {
  const newTab = async (url?: string): Promise<Tab> => {
    const tab = await browser.newTab(url);
    let isOpen = true;
    const close = async (): Promise<void> => {
      if (!isOpen) return;
      isOpen = false;
      await tab.close();
    };
    cleanUps.push(close);
    return Object.assign(Object.create(tab) as Tab, { close });
  };
  return Object.assign(Object.create(browser) as Browser, { newTab });
}

/** With launch options the world has a browser of its own. */
async function createWorld({
  flags = buildFlags(30),
  launchOptions,
}: {
  flags?: unknown;
  launchOptions?: LaunchOptions;
} = {}) {
  const server = await startFlagServer({ readTokens: ['reader'], writeTokens: ['writer'] });
  cleanUps.push(() => server.close());
  const site = await startClientSite();
  cleanUps.push(() => site.stop());
  await server.rest('/import', { method: 'POST', body: { flags } });
  const launch = async () => {
    const browser = await engine.launch(launchOptions);
    cleanUps.push(() => browser.close());
    return browser;
  };
  const options: FlagClientOptions = { url: server.url, accessToken: 'reader' };
  const setEnabled = async (id: number, enabled: boolean): Promise<number> => {
    await server.rest(`/flags/${id}/enabled`, { method: 'PUT', body: { enabled } });
    return (await server.health()).revision;
  };
  const browser = launchOptions === undefined ? borrow(shared) : await launch();
  return { server, site, browser, launch, options, setEnabled };
}

/** Asks the server until the answer is as wanted: it learns of a closed connection a moment later. */
async function waitForStreams(
  server: { health(): Promise<{ streams: number }> },
  wanted: number,
): Promise<void> {
  await expect.poll(async () => (await server.health()).streams, { timeout: 15_000 }).toBe(wanted);
}

test('10 tabs share 1 stream, and an edit reaches all 10', async () => {
  const { server, site, browser, options, setEnabled } = await createWorld();
  const tabs = await Promise.all(Array.from({ length: 10 }, () => openClientTab(browser, site.url, options)));
  const { revision } = await server.health();
  for (const tab of tabs) await tab.reaches(revision);
  expect(await server.health()).toMatchObject({ streams: 1, streamsOpened: 1 });

  const key = (await tabs[0]?.evaluate(() => window.flags.peekFlags().values().next().value?.key)) ?? '';
  const before = await tabs[0]?.evaluate((flagKey: string) => window.flags.peekFlag(flagKey), key);
  if (before == null) throw new Error('The first tab holds no flag.');
  const edited = await setEnabled(before.id, !before.enabled);
  for (const tab of tabs) {
    await tab.reaches(edited);
    expect(await tab.evaluate(() => window.heard)).toContain(`${key}@${edited}`);
    expect(await tab.evaluate((flagKey: string) => window.flags.getFlag(flagKey), key)).toMatchObject({
      enabled: !before.enabled,
    });
  }
  expect((await server.health()).streams).toBe(1);
  expect(await tabs[3]?.evaluate(() => window.flags.status)).toMatchObject({
    source: 'server',
    connection: { is: 'live' },
    storage: 'persistent',
    host: 'shared-worker',
    tabs: 10,
    stale: false,
  });
});

test('with the server dead every reloaded tab reads from storage and says so; with the server back every tab is current without a reload, and only what was missed is sent', async () => {
  const { server, site, browser, options, setEnabled } = await createWorld();
  const tabs = await Promise.all(Array.from({ length: 3 }, () => openClientTab(browser, site.url, options)));
  const { revision } = await server.health();
  for (const tab of tabs) await tab.reaches(revision);
  const held = await tabs[0]?.flagsJson();

  await server.stop('SIGKILL');
  await Promise.all(tabs.map((tab) => tab.reload()));
  for (const tab of tabs) {
    await startClient(tab, options);
    await tab.reaches(revision);
    expect(await tab.flagsJson()).toBe(held);
    await tab.waitFor(() => window.flags.status.connection.is === 'waiting');
    const status = await tab.evaluate(() => window.flags.status);
    expect(status).toMatchObject({ source: 'storage', storage: 'persistent' });
    expect(status.confirmedAtMs).toBeGreaterThan(Date.now() - 120_000);
  }

  await server.restart();
  const edited = await setEnabled(1, (await server.health()).revision < 0);
  const last = Math.max(edited, await setEnabled(1, true), await setEnabled(1, false));
  for (const tab of tabs) {
    await tab.evaluate(() => window.dispatchEvent(new Event('online')));
    await tab.reaches(last);
  }
  expect(await server.health()).toMatchObject({ streams: 1, resumed: 1 });
  const snapshots = await tabs[0]?.evaluate(async () =>
    (await window.flags.debug()).trace.map(({ what }) => what),
  );
  expect(snapshots?.filter((what) => what === 'gap')).toEqual([]);
});

test('updates keep arriving while tabs are closed, the one that started the worker first; with the last one the stream ends', async () => {
  const { server, site, browser, options, setEnabled } = await createWorld();
  const tabs = [];
  for (let n = 0; n < 4; n += 1) tabs.push(await openClientTab(browser, site.url, options));
  let enabled = false;
  for (const [index, tab] of tabs.entries()) {
    const revision = await setEnabled(1, enabled);
    enabled = !enabled;
    for (const open of tabs.slice(index)) await open.reaches(revision);
    await waitForStreams(server, 1);
    const next = tabs[index + 1];
    await tab.close();
    await next?.waitFor((left: number) => window.flags.status.tabs === left, tabs.length - index - 1);
  }
  await waitForStreams(server, 0);
});

test('a crashed worker is noticed by every tab, and one new stream resumes', async () => {
  const { server, site, browser, options, setEnabled } = await createWorld({
    launchOptions: { workersApart: true },
  });
  const tabs = [];
  for (let n = 0; n < 3; n += 1) tabs.push(await openClientTab(browser, site.url, options));
  const { revision } = await server.health();
  for (const tab of tabs) await tab.reaches(revision);
  // Firefox runs the worker in the process of the tab that asked first; that tab dies with it.
  const alive = engine.can.killSharedWorkers ? tabs : tabs.slice(1);
  if (engine.can.killSharedWorkers) await browser.killSharedWorkers();
  else await tabs[0]?.crash();
  await expect.poll(async () => (await server.health()).resumed, { timeout: 15_000 }).toBe(1);
  const edited = Math.max(await setEnabled(1, true), await setEnabled(1, false));
  for (const tab of alive) await tab.reaches(edited);
  await waitForStreams(server, 1);
});

test('two workers, as after a deploy, share one stream; the second follows what the first stores, forgets with it, and takes over when it has gone', async () => {
  const { server, site, browser, options, setEnabled } = await createWorld();
  const old = await openClientTab(browser, site.url, options);
  await old.reaches((await server.health()).revision);
  const deployed = await openClientTab(browser, site.url, {
    ...options,
    worker: { url: '/shared-worker.js?v=2' },
  });
  const first = Math.max(await setEnabled(1, true), await setEnabled(1, false));
  for (const tab of [old, deployed]) await tab.reaches(first);
  expect(await deployed.evaluate(() => window.flags.status)).toMatchObject({ host: 'follower' });
  expect(await server.health()).toMatchObject({ streams: 1, streamsOpened: 1 });

  await deployed.evaluate(() => window.flags.forget());
  for (const tab of [old, deployed]) await tab.waitFor(() => window.flags.peekFlags().size === 0);
  await waitForStreams(server, 0);
  await old.evaluate(() => window.flags.refresh());
  for (const tab of [old, deployed]) await tab.reaches(first);
  await waitForStreams(server, 1);

  await old.close();
  await deployed.evaluate(() => window.flags.refresh());
  await deployed.waitFor(() => window.flags.status.host === 'shared-worker');
  const second = await setEnabled(1, true);
  await deployed.reaches(second);
  expect(await server.health()).toMatchObject({ streams: 1, streamsOpened: 3, resumed: 1 });
});

test('a page that comes back from the back/forward cache is current again', async () => {
  const { server, site, browser, options, setEnabled } = await createWorld({
    launchOptions: { backForwardCache: true },
  });
  const tab = await openClientTab(browser, site.url, options);
  await tab.reaches((await server.health()).revision);
  await tab.goto(`${site.url}/?elsewhere`);
  const revision = Math.max(await setEnabled(1, true), await setEnabled(1, false));
  await tab.goBack();
  // Elsewhere the client is the one that was made before: the page was kept, not loaded again.
  if (!engine.can.keepPageWithLocks) await startClient(tab, options);
  await tab.waitFor(() => window.flags !== undefined && window.heard !== undefined);
  await tab.reaches(revision);
  await tab.waitFor(() => window.flags.status.connection.is === 'live' && window.flags.status.tabs === 1);
  expect((await server.health()).streams).toBe(1);
});

test('what a tab was shown as stored survives a crash of the whole browser, and opens without the server', async () => {
  const profileDir = mkdtempSync(join(tmpdir(), 'flagent-profile-'));
  cleanUps.push(() => rmSync(profileDir, { recursive: true, force: true }));
  const { server, site, browser, launch, options, setEnabled } = await createWorld({
    launchOptions: { profileDir },
  });
  const tab = await openClientTab(browser, site.url, options);
  const revision = Math.max(await setEnabled(1, true), await setEnabled(1, false), await setEnabled(1, true));
  await tab.reaches(revision);
  const held = await tab.flagsJson();
  await browser.crash();
  await server.stop();
  const again = await openClientTab(await launch(), site.url, options);
  await again.reaches(revision);
  expect(await again.flagsJson()).toBe(held);
  expect(await again.evaluate(() => window.flags.status)).toMatchObject({ source: 'storage' });
});

test('two namespaces and two servers on one origin never mix', async () => {
  const { server, site, browser, options } = await createWorld({ flags: buildFlags(3) });
  const other = await startFlagServer({});
  cleanUps.push(() => other.close());
  await other.rest('/import', { method: 'POST', body: { flags: buildFlags(5, 7) } });
  const prod = await openClientTab(browser, site.url, { ...options, namespace: 'prod' });
  const stage = await openClientTab(browser, site.url, { ...options, namespace: 'stage' });
  const elsewhere = await openClientTab(browser, site.url, { url: other.url, namespace: 'prod' });
  const sizes = [];
  for (const tab of [prod, stage, elsewhere]) {
    await tab.evaluate(() => window.flags.ready({ timeoutMs: 10_000 }));
    sizes.push(await tab.evaluate(() => window.flags.peekFlags().size));
  }
  expect(sizes).toEqual([3, 3, 5]);
  expect([(await server.health()).streams, (await other.health()).streams]).toEqual([2, 1]);
  await prod.evaluate(() => window.flags.forget());
  await prod.reload();
  expect(await stage.evaluate(() => window.flags.peekFlags().size)).toBe(3);
  expect(await elsewhere.evaluate(() => window.flags.peekFlags().size)).toBe(5);
  const names = await stage.evaluate(async () =>
    (await indexedDB.databases()).map(({ name }) => name ?? '').sort(),
  );
  expect(names).toEqual(
    [
      `flagent:prod@${other.url}:v1`,
      `flagent:prod@${server.url}:v1`,
      `flagent:stage@${server.url}:v1`,
    ].sort(),
  );
});

test('forget empties every tab and the storage, and refresh brings the flags back', async () => {
  const { server, site, browser, options } = await createWorld();
  const [a, b] = await Promise.all([0, 1].map(() => openClientTab(browser, site.url, options)));
  if (a === undefined || b === undefined) throw new Error('Two tabs were wanted.');
  const { revision } = await server.health();
  for (const tab of [a, b]) await tab.reaches(revision);
  await a.evaluate(() => window.flags.forget());
  for (const tab of [a, b]) {
    await tab.waitFor(() => window.flags.peekFlags().size === 0);
    expect(await tab.evaluate(() => window.flags.status)).toMatchObject({ source: 'none', stale: true });
  }
  await waitForStreams(server, 0);
  await b.evaluate(() => window.flags.refresh());
  await b.reaches(revision);
  await a.reaches(revision);
  await waitForStreams(server, 1);
});

test('refresh settles when what the server holds is in the tab', async () => {
  const { site, browser, options, setEnabled } = await createWorld();
  const tab = await openClientTab(browser, site.url, options);
  await tab.evaluate(() => window.flags.ready({ timeoutMs: 10_000 }));
  const revision = Math.max(await setEnabled(1, true), await setEnabled(1, false));
  const shown = await tab.evaluate(async () => {
    await window.flags.refresh();
    return window.flags.status.revision;
  });
  expect(shown).toBe(revision);
});

test('a wrong token is said in the status, reads answer nothing instead of throwing, and a new client with a good one works', async () => {
  const { site, browser, options } = await createWorld();
  const tab = await openClientTab(browser, site.url, {
    ...options,
    accessToken: 'wrong',
    firstReadTimeoutMs: 3_000,
  });
  await tab.waitFor(() => {
    const { connection } = window.flags.status;
    return connection.is === 'waiting' && connection.reason === 'the server answers 401';
  });
  expect(await tab.evaluate(async () => (await window.flags.getFlag('anything')) ?? 'nothing')).toBe(
    'nothing',
  );
  const refusal = await tab.evaluate(() =>
    window.flags
      .refresh()
      .catch((error: { code?: string; message: string }) => `${error.code}: ${error.message}`),
  );
  expect(refusal).toBe('unauthorized: The server answers 401. Check the access token.');
  const good = await openClientTab(browser, site.url, { ...options, namespace: 'good' });
  await good.evaluate(() => window.flags.ready({ timeoutMs: 10_000 }));
});

/** The vectors were drawn by chance, and a few ids came twice; one server cannot hold both, so the later ones move. */
function withDifferentIds(flags: readonly Pick<Flag, 'id' | 'key' | 'segments'>[]): unknown[] {
  const seen = new Set<number>();
  return flags.map((flag) => {
    const shift = seen.has(flag.id) ? 100_000 : 0;
    seen.add(flag.id);
    if (shift === 0) return flag;
    const segments = flag.segments.map((segment) => ({ ...segment, id: segment.id + shift * 10 }));
    return { ...flag, id: flag.id + shift, key: `${flag.key}_again`, segments };
  });
}

test('a flag set loaded from a file is what every tab holds, byte for byte', async () => {
  const { server, site, browser, options } = await createWorld({ flags: [] });
  const vectors = JSON.parse(
    readFileSync(resolve(import.meta.dirname, '../vectors/evaluation.json'), 'utf8'),
  );
  const flagSet = withDifferentIds(vectors.generated.flags);
  const inFile = readFlags(flagSet, 'flags');
  expect(inFile).toHaveLength(200);
  const folder = mkdtempSync(join(tmpdir(), 'flagent-load-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'flags.json'), JSON.stringify({ flags: flagSet }));
  const main = resolve(import.meta.dirname, '../../src/cli/main.ts');
  const load = () =>
    execFileSync(
      process.execPath,
      [main, 'load', join(folder, 'flags.json'), '--url', server.url, '--token', 'writer'],
      { encoding: 'utf8' },
    );
  load();
  const { revision } = await server.health();
  load();
  expect((await server.health()).revision, 'loading the same file again changes nothing').toBe(revision);

  const onServer = (await server.rest('/snapshot')) as { readonly flags: readonly Flag[] };
  const tabs = await Promise.all([0, 1, 2].map(() => openClientTab(browser, site.url, options)));
  for (const tab of tabs) {
    await tab.reaches(revision);
    expect(await tab.flagsJson()).toBe(flagsAsJson(onServer.flags));
  }
  // The server adds what the file does not say (its own counters, the key of a distribution's variant); all else is the file's.
  const held = JSON.parse((await tabs[0]?.flagsJson()) ?? '[]') as readonly Flag[];
  const inFileById = new Map(inFile.map((flag) => [flag.id, flag]));
  expect(held.map(({ id }) => id)).toEqual([...inFileById.keys()].sort((a, b) => a - b));
  for (const flag of held) {
    expect(asInFile(flag)).toEqual(asInFile(inFileById.get(flag.id) ?? flag));
  }
});

function asInFile(flag: Flag): Flag {
  const segments = flag.segments.map((segment) => ({
    ...segment,
    distributions: segment.distributions.map((distribution) => ({ ...distribution, variantKey: null })),
  }));
  return { ...flag, segments, snapshotID: 0, updatedAt: null };
}

test('10 000 flags stream, are stored, and open without the server', async () => {
  const profileDir = mkdtempSync(join(tmpdir(), 'flagent-profile-'));
  cleanUps.push(() => rmSync(profileDir, { recursive: true, force: true }));
  const { server, site, browser, launch, options, setEnabled } = await createWorld({
    flags: buildFlags(10_000),
    launchOptions: { profileDir },
  });
  const tab = await openClientTab(browser, site.url, options);
  await tab.waitFor(() => window.flags.peekFlags().size === 10_000);
  const revision = Math.max(await setEnabled(1, true), await setEnabled(1, false));
  await tab.reaches(revision);
  await browser.close();
  await server.stop();
  const again = await openClientTab(await launch(), site.url, options);
  await again.reaches(revision);
  expect(await again.evaluate(() => window.flags.peekFlags().size)).toBe(10_000);
});
