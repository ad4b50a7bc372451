/** The service worker in a real browser: the demo starts with everything else switched off, and versions change with many tabs open. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startDemo } from '../../demo/start.ts';
import type { ServiceWorkerHandle } from '../../src/index.ts';
import { startTestServer } from '../../src/testing/index.ts';
import type { Browser, Tab } from '../kit/browser.ts';
import { engine } from '../kit/engine-under-test.ts';
import { startStaticSite } from '../kit/static-site.ts';

declare global {
  interface Window {
    /** In the page of the update test. */
    worker?: ServiceWorkerHandle;
    streamStatus?: number;
  }
}

const DIST = resolve(import.meta.dirname, '../../dist');

let cleanUp: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const undo of cleanUp.reverse()) await undo();
  cleanUp = [];
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flagent-offline-test-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

async function launch(profileDir?: string): Promise<Browser> {
  const browser = await engine.launch(profileDir === undefined ? {} : { profileDir });
  cleanUp.push(() => browser.close());
  return browser;
}

function shownFlags(tab: Tab): Promise<number> {
  return tab.evaluate(() => document.querySelectorAll('[data-flag]').length);
}

test('the whole demo starts from the device when site and flag server are gone and the browser is new', async () => {
  const profile = await newFolder();
  const demo = await startDemo({ port: 0 });
  cleanUp.push(() => demo.stop());

  const before = await launch(profile);
  const first = await before.newTab(demo.url);
  await first.waitFor(() => document.documentElement.dataset.serviceWorker === 'controlling');
  await first.waitFor(() => document.querySelectorAll('[data-flag]').length === 30);
  await first.waitFor(() => document.querySelector('[data-tile=age] strong')?.textContent === 'Current');
  expect(demo.server.streams).toBe(1);
  await before.close();
  await demo.stop();

  const after = await launch(profile);
  const tab = await after.newTab(demo.url);
  await tab.waitFor(() => document.querySelector('.notice.offline:not([hidden])') !== null);
  expect(await shownFlags(tab)).toBe(30);
  const text = await tab.evaluate(() => document.querySelector('.notice.offline')?.textContent ?? '');
  expect(text).toMatch(/^Offline, showing data from (less than a minute|\d+ min) ago\./);
  // WebKit takes a while to grant a lock, and until then the stream may be another's.
  const facts = await tab.waitFor(() => {
    const text = document.getElementById('facts')?.textContent ?? '';
    return text.includes('held by: shared worker') && text;
  });
  expect(facts).toMatch(/\d+ s ago|just now|min ago/);
  expect(facts).toContain('from storage · stored');
  const answer = await tab.evaluate(
    () => document.querySelector('[data-flag=dark_mode] .answer')?.textContent,
  );
  expect(answer).toBe('on');
});

test('a flag edited while the network is cut reaches every tab of the demo when it is restored', async () => {
  const demo = await startDemo({ port: 0 });
  cleanUp.push(() => demo.stop());
  const browser = await launch();
  const one = await browser.newTab(demo.url);
  const other = await browser.newTab(demo.url);
  for (const tab of [one, other])
    await tab.waitFor(() => document.querySelector('[data-mood=good]') !== null);
  expect(demo.server.streams).toBe(1);

  await press(one, 'Cut');
  for (const tab of [one, other]) {
    await tab.waitFor(() => document.querySelector('.notice.offline:not([hidden])') !== null);
  }
  await one.evaluate(() => document.querySelector<HTMLElement>('[data-flag=dark_mode] .switch')?.click());
  await one.waitFor(() => document.querySelector('[data-flag=dark_mode] .awaited:not([hidden])') !== null);
  expect(await isOn(one, 'dark_mode')).toBe(true);

  await press(one, 'Restore');
  for (const tab of [one, other]) {
    await tab.waitFor(() => document.querySelector('[data-flag=dark_mode][data-enabled=false]') !== null);
  }
});

async function press(tab: Tab, label: string): Promise<void> {
  await tab.waitFor((wanted) => {
    const found = [...document.querySelectorAll('button')].find((button) => button.textContent === wanted);
    if (found?.disabled === false) found.click();
    return found?.disabled === false;
  }, label);
}

function isOn(tab: Tab, flagKey: string): Promise<boolean> {
  return tab.evaluate(
    (key) => document.querySelector(`[data-flag=${key}]`)?.getAttribute('data-enabled') === 'true',
    flagKey,
  );
}

/** A page that registers `/sw.js`, counts its own reloads, and holds a stream to the flag server. */
function pageFor(flagServerUrl: string): string {
  return `<!doctype html><title>Update</title><script type="module">
    import { registerServiceWorker } from '/index.js';
    sessionStorage.loads = Number(sessionStorage.loads ?? 0) + 1;
    window.worker = registerServiceWorker('/sw.js', { type: 'module', onTakeover: () => location.reload() });
    const stream = await fetch('${flagServerUrl}/api/v1/events/stream', { cache: 'no-store' });
    window.streamStatus = stream.status;
  </script>`;
}

/** Below the parts stands a listener as careless as they come: it would answer the stream too. */
function scriptFor(flagServerUrl: string, version: number): string {
  return `import { followUpdates, passStream } from '/service-worker.js';
    passStream(self, { url: '${flagServerUrl}' });
    followUpdates(self);
    self.addEventListener('fetch', (event) => event.respondWith(fetch(event.request)));
    // version ${version}
  `;
}

test('a new version takes over at once with two tabs and their streams open, and each tab reloads once', async () => {
  const flagServer = await startTestServer();
  cleanUp.push(() => flagServer.close());
  const folder = await newFolder();
  await writeFile(join(folder, 'index.html'), pageFor(flagServer.url));
  await writeFile(join(folder, 'sw.js'), scriptFor(flagServer.url, 1));
  const site = await startStaticSite({ folders: [folder, DIST] });
  cleanUp.push(() => site.stop());

  const browser = await launch();
  const one = await browser.newTab(site.url);
  await one.waitFor(() => window.worker?.status.is === 'controlling');
  await one.reload();
  const other = await browser.newTab(site.url);
  const tabs = [one, other];
  for (const tab of tabs) {
    await tab.waitFor(() => window.worker?.status.is === 'controlling' && window.streamStatus === 200);
  }
  expect(flagServer.server.streams).toBe(2);
  const loadsBefore = await Promise.all(tabs.map(loads));

  await writeFile(join(folder, 'sw.js'), scriptFor(flagServer.url, 2));
  expect(await one.evaluate(() => window.worker?.checkForUpdate())).toBe('found');
  for (const tab of tabs) await tab.waitFor(() => window.worker?.status.is === 'waiting');
  // The tab may reload before it can answer; that it did is seen below.
  await other.evaluate(() => void window.worker?.activateUpdate());
  for (const [index, tab] of tabs.entries()) {
    await tab.waitFor((before) => Number(sessionStorage.loads) > before, loadsBefore[index] ?? 0);
    await tab.waitFor(() => window.worker?.status.is === 'controlling' && window.streamStatus === 200);
  }
  expect(await Promise.all(tabs.map(loads))).toEqual(loadsBefore.map((before) => before + 1));
});

function loads(tab: Tab): Promise<number> {
  return tab.evaluate(() => Number(sessionStorage.loads));
}
