/** The kit's own promises, in each engine: the other browser tests stand on them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from '../kit/browser.ts';
import { engine } from '../kit/engine-under-test.ts';
import { type StaticSite, startStaticSite } from '../kit/static-site.ts';

let browser: Browser;
let site: StaticSite;

beforeAll(async () => {
  [browser, site] = await Promise.all([
    engine.launch({ waitAtMostMs: 2_000 }),
    startStaticSite({ folders: [`${import.meta.dirname}/../kit/page`] }),
  ]);
});
afterAll(() => Promise.all([browser.close(), site.stop()]));

test('a long evaluation in one tab does not hold up another', async () => {
  const [one, other] = [await browser.newTab(site.url), await browser.newTab(site.url)];
  const released = one.evaluate(() =>
    navigator.locks.request(
      'held',
      () =>
        new Promise<string>((resolve) => {
          const channel = new BroadcastChannel('kit');
          channel.onmessage = ({ data }) => resolve(data);
        }),
    ),
  );
  await other.waitFor(async () => (await navigator.locks.query()).held?.some(({ name }) => name === 'held'));
  await other.evaluate(() => new BroadcastChannel('kit').postMessage('released by the other'));
  expect(await released).toBe('released by the other');
  await Promise.all([one.close(), other.close()]);
});

test('a question survives navigations, and an unanswered one says what was asked and what came last', async () => {
  const tab = await browser.newTab(`${site.url}/?first`);
  const arrived = tab.waitFor(() => location.search === '?second');
  await tab.goto(`${site.url}/?second`);
  expect(await arrived).toBe(true);
  await tab.goBack();
  expect(await tab.evaluate(() => location.search)).toBe('?first');
  await expect(tab.waitFor(() => document.title === 'never')).rejects.toThrow(
    /Waited 2000 ms for .*never.*; the last answer was false/s,
  );
  await tab.close();
});

test('what a page throws reaches the test, and its errors are kept', async () => {
  const tab = await browser.newTab(site.url);
  const thrown = tab.evaluate(() => {
    throw new TypeError('thrown on purpose');
  });
  await expect(thrown).rejects.toThrow('thrown on purpose');
  await tab.evaluate(() => {
    setTimeout(() => {
      throw new Error('nobody caught this');
    });
  });
  await tab.waitFor(() => new Promise((resolve) => setTimeout(resolve, 50, true)));
  expect(tab.complaints.join()).toContain('nobody caught this');
  await tab.close();
});

test('a page that cannot be loaded is an error, and the tab can go elsewhere', async () => {
  const gone = await startStaticSite({ folders: [] });
  await gone.stop();
  const tab = await browser.newTab();
  await expect(tab.goto(gone.url)).rejects.toThrow();
  await tab.goto(site.url);
  expect(await tab.evaluate(() => location.origin)).toBe(site.url);
  await tab.close();
});

test.runIf(engine.can.crashTab)('a crashed tab lets go of its locks, and the others live on', async () => {
  const [one, other] = [await browser.newTab(site.url), await browser.newTab(site.url)];
  await one.evaluate(
    () =>
      new Promise<void>((held) => {
        void navigator.locks.request('until the end', () => {
          held();
          return new Promise(() => {});
        });
      }),
  );
  await one.crash();
  await other.waitFor(() => navigator.locks.request('until the end', () => true));
  await one.close();
  await other.close();
});

test.runIf(engine.can.freeze)('a frozen tab runs no timer until it is woken', async () => {
  const [one, other] = [await browser.newTab(site.url), await browser.newTab(site.url)];
  await other.evaluate(() => {
    new BroadcastChannel('ticks').onmessage = () => {
      document.title = String(Number(document.title) + 1);
    };
    document.title = '0';
  });
  await one.evaluate(() => {
    const ticks = new BroadcastChannel('ticks');
    setInterval(() => ticks.postMessage('tick'), 10);
  });
  await other.waitFor(() => Number(document.title) > 2);
  await one.freeze();
  // What was under way arrives before this; then nothing may.
  await other.waitFor(() => new Promise((resolve) => setTimeout(resolve, 100, true)));
  const before = await other.evaluate(() => document.title);
  await other.waitFor(() => new Promise((resolve) => setTimeout(resolve, 300, true)));
  expect(await other.evaluate(() => document.title)).toBe(before);
  await one.unfreeze();
  await other.waitFor((frozenAt) => Number(document.title) > Number(frozenAt), before);
  await one.close();
  await other.close();
});
