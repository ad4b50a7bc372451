/** The chaos buttons of the demo: each breaks something for real, the log says what happened and when it was over, and the board is current again. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Demo, startDemo } from '../../demo/start.ts';
import type { Browser, Tab } from '../kit/browser.ts';
import { engine } from '../kit/engine-under-test.ts';

let demo: Demo;
let browser: Browser | undefined;

beforeAll(async () => {
  demo = await startDemo({ port: 0 });
});

afterEach(async () => {
  await browser?.close();
  browser = undefined;
  const { origin } = new URL(demo.url);
  await fetch(`${demo.url}__demo/reset`, { method: 'POST', headers: { origin } });
});

afterAll(() => demo.stop());

/** Live tabs with all flags, in one browser. */
async function openTabs<Count extends 1 | 2>(
  count: Count,
  address = '',
): Promise<Count extends 1 ? [Tab] : [Tab, Tab]> {
  browser ??= await engine.launch({ waitAtMostMs: 25_000 });
  const tabs: Tab[] = [];
  while (tabs.length < count) {
    const tab = await browser.newTab(`${demo.url}${address}`);
    await tab.waitFor(() => document.querySelectorAll('[data-mood=good], [data-flag]').length === 31);
    // A crash is told by comparing with the hub that the page has looked at before.
    await tab.waitFor(() => document.querySelector('.log [data-kind=detail]') !== null);
    tabs.push(tab);
  }
  return tabs as never;
}

async function press(tab: Tab, label: string): Promise<void> {
  await tab.waitFor((wanted) => {
    const found = [...document.querySelectorAll('button')].find((button) => button.textContent === wanted);
    if (found?.disabled === false) found.click();
    return found?.disabled === false;
  }, label);
}

/** Gives the newest line of the log that fits. */
function logSays(tab: Tab, pattern: RegExp): Promise<string> {
  return tab.waitFor(
    (source) =>
      [...document.querySelectorAll('.log li :is(span, code)')]
        .map((line) => line.textContent ?? '')
        .find((text) => new RegExp(source).test(text)),
    pattern.source,
  ) as Promise<string>;
}

function logText(tab: Tab): Promise<string> {
  return tab.evaluate(() => document.querySelector('.log')?.textContent ?? '');
}

function toggleDarkMode(tab: Tab): Promise<void> {
  return tab.evaluate(() => document.querySelector<HTMLElement>('[data-flag=dark_mode] .switch')?.click());
}

async function shows(tabs: readonly Tab[], enabled: boolean): Promise<void> {
  for (const tab of tabs) {
    await tab.waitFor(
      (wanted) =>
        document.querySelector<HTMLElement>('[data-flag=dark_mode]')?.dataset.enabled === wanted &&
        document.querySelectorAll('[data-flag]').length === 30,
      String(enabled),
    );
  }
}

test('Cut and Restore: every tab tells when it noticed and when it was current again, with what was edited meanwhile', async () => {
  const [one, other] = await openTabs(2);
  await press(one, 'Cut');
  for (const tab of [one, other]) {
    await logSays(tab, /^Cut: every connection was reset/);
    await logSays(tab, /^Offline: /);
    await logSays(tab, /^Noticed \d.* after Cut$/);
  }
  await toggleDarkMode(one);
  await one.waitFor(() => document.querySelector('[data-flag=dark_mode] .awaited:not([hidden])') !== null);

  await press(one, 'Restore');
  for (const tab of [one, other]) {
    await logSays(tab, /^Current again \d.* after Restore, \d.* after Cut$/);
    await logSays(tab, /^dark_mode is off/);
  }
  await shows([one, other], false);
  await logSays(one, /^The stream goes on after revision \d+/);
});

test('Stall: the watchdog notices the silence, and Restore brings what was held back', async () => {
  const [tab] = await openTabs(1);
  await press(tab, 'Stall');
  await logSays(tab, /^Stall: connections stay open/);
  await toggleDarkMode(tab);
  await logSays(tab, /^Noticed \d+(\.\d)? s after Stall$/);
  await press(tab, 'Restore');
  await logSays(tab, /^Current again \d.* after Restore, \d.* after Stall$/);
  await shows([tab], false);
});

test('Crash worker: every tab moves to a new hub and is current again, over one stream', async () => {
  const [one, other] = await openTabs(2);
  await press(one, 'Crash worker');
  await logSays(one, /^Crash worker: /);
  await logSays(other, /^Another tab has crashed the shared worker$/);
  for (const tab of [one, other]) {
    await logSays(tab, /^Current again \d.* after Crash worker$/);
    await logSays(tab, /hub has started|another hub/);
  }
  // The flags stay on the board in between: a new hub that holds nothing yet takes nothing away.
  for (const tab of [one, other]) expect(await logText(tab)).not.toContain('flags are gone');
  await toggleDarkMode(other);
  await shows([one, other], false);
  await expect.poll(() => demo.server.streams, { timeout: 15_000 }).toBe(1);
});

test('New deploy: this tab moves to a hub of the new build, other tabs stay, and both hear every change over one stream', async () => {
  const [one, other] = await openTabs(2);
  const before = await logText(other);
  await press(one, 'New deploy');
  await logSays(one, /^This tab has moved to build 2; other tabs stay/);
  await logSays(one, /^A new hub has started/);
  await logSays(one, /^Current again \d.* after New deploy$/);
  expect(demo.server.streams).toBe(1);
  await toggleDarkMode(one);
  await shows([one, other], false);
  expect((await logText(other)).replace(before, '')).not.toMatch(/another hub|new hub/);
});

test('Clear storage: the board stays as it is, and everything is stored anew', async () => {
  const [tab] = await openTabs(1);
  await logSays(tab, /^Stored on this device: /);
  const databases = () => tab.evaluate(async () => (await indexedDB.databases()).length);
  expect(await databases()).toBe(1);
  await press(tab, 'Clear storage');
  await logSays(tab, /^Clear storage: the database was deleted/);
  await logSays(tab, /^Still current after \d.*: 30 flags in memory/);
  // The log tells it once more: everything is in storage again, without a change.
  await tab.waitFor(
    () =>
      [...document.querySelectorAll('.log li span')].filter((line) =>
        line.textContent?.startsWith('Stored on this device: '),
      ).length === 2,
  );
  expect(await databases()).toBe(1);
  await shows([tab], true);
  await toggleDarkMode(tab);
  await logSays(tab, /^dark_mode is off/);
  expect(await databases()).toBe(1);
});

test('a hub in tabs: buttons that need a worker say why they cannot be pressed, and when the leading tab is closed the next one tells that it leads', async () => {
  const [one, other] = await openTabs(2, '?host=tab');
  const heldBy = (tab: Tab) =>
    tab.evaluate(() => document.querySelector('[data-tile=streams] small')?.textContent);
  expect([await heldBy(one), await heldBy(other)].sort()).toEqual([
    'held by: another hub',
    'held by: this tab',
  ]);
  const button = await one.evaluate(() => {
    const found = [...document.querySelectorAll('button')].find(
      (each) => each.textContent === 'Crash worker',
    );
    const hint = document.getElementById(found?.getAttribute('aria-describedby') ?? '');
    return { isDisabled: found?.disabled, hint: hint?.textContent };
  });
  expect(button.isDisabled).toBe(true);
  expect(button.hint).toContain('close the leading tab');

  const [leading, next] = (await heldBy(one)) === 'held by: this tab' ? [one, other] : [other, one];
  await leading.close();
  await logSays(next, /^This hub leads/);
  await next.waitFor(() => document.querySelector('[data-mood=good]') !== null);
  await toggleDarkMode(next);
  await shows([next], false);
});

test('a page that uses a new build of the worker starts offline too', async () => {
  const [tab] = await openTabs(1);
  await press(tab, 'New deploy');
  await logSays(tab, /^This tab has moved to build 2/);
  await tab.waitFor(() => document.documentElement.dataset.serviceWorker === 'controlling');
  await demo.stop();
  await tab.reload();
  await tab.waitFor(() => document.querySelector('.notice.offline:not([hidden])') !== null);
  await shows([tab], true);
  const heldBy = await tab.evaluate(() => document.querySelector('[data-tile=streams] small')?.textContent);
  expect(heldBy).toBe('held by: shared worker');
  demo = await startDemo({ port: 0 });
});

test('details show the entries of the trace between the sentences, and only when asked for', async () => {
  const [tab] = await openTabs(1);
  await logSays(tab, /^hub: leads \{"generation":\d+\}$/);
  const shown = () =>
    tab.evaluate(
      () => [...document.querySelectorAll('.log code')].filter((line) => line.checkVisibility()).length,
    );
  expect(await shown()).toBe(0);
  await press(tab, 'Show details');
  expect(await shown()).toBeGreaterThan(2);
});
