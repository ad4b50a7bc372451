/** Browsers that lack something, or where it is broken: workers, locks, storage. The page works, and the status says what it does without. */
import { expect } from 'vitest';
import { startClientSite } from '../kit/client-site.ts';
import { openClientTab, startClient } from '../kit/client-tab.ts';
import { type Missing, stageScenarios } from '../kit/scenario.ts';

const scenario = stageScenarios();
const WITH_WORKER = { hosts: ['shared-worker'] } as const;

scenario(
  'the script of the worker is missing: the tabs host the hub themselves',
  async (play) => {
    const tabs = await play.openMany(2, { worker: { url: '/no-such-worker.js' } });
    await play.editReaches(tabs);
    for (const tab of tabs)
      expect(await tab.evaluate(() => window.flags.status.host)).not.toBe('shared-worker');
    expect((await play.server.health()).streams).toBe(1);
  },
  WITH_WORKER,
);

scenario(
  'a content security policy forbids workers: the tabs host the hub themselves',
  async (play) => {
    const site = await startClientSite({
      'Content-Security-Policy': `default-src 'self' 'unsafe-inline' 'unsafe-eval'; connect-src *; worker-src 'none'`,
    });
    try {
      const tabs = [
        await openClientTab(play.browser, site.url, play.options),
        await openClientTab(play.browser, site.url, play.options),
      ];
      await play.editReaches(tabs);
      for (const tab of tabs)
        expect(await tab.evaluate(() => window.flags.status.host)).not.toBe('shared-worker');
      expect((await play.server.health()).streams).toBe(1);
      for (const tab of tabs) await tab.close();
    } finally {
      await site.stop();
    }
  },
  WITH_WORKER,
);

scenario(
  'the script of the worker is never answered: the tab hosts the hub after a deadline, and the next page of the session at once',
  async (play) => {
    const worker = { url: '/silent-worker.js' };
    const tab = await play.open({ worker });
    await play.editReaches([tab]);
    expect(await tab.evaluate(() => window.flags.status.host)).toBe('tab');
    const asked = (): number => play.site.requests.filter((path) => path === worker.url).length;
    const askedBefore = asked();
    await tab.reload();
    await startClient(tab, { ...play.options, worker });
    await play.editReaches([tab]);
    expect(asked()).toBe(askedBefore);
    // Another session tries the worker again.
    const other = await play.open({ worker });
    await play.editReaches([tab, other]);
    expect(await other.evaluate(() => sessionStorage.length)).toBe(1);
  },
  WITH_WORKER,
);

scenario(
  'without Web Locks the tabs agree all the same, and none of them holds a stream that another cannot see',
  async (play) => {
    const tabs = await play.openMany(3, { without: ['locks'] });
    await play.editReaches(tabs);
    if (play.host === 'tab') {
      for (const tab of tabs) await tab.waitFor(() => window.flags.status.connection.is === 'polling');
      expect((await play.server.health()).streams).toBe(0);
    } else {
      await tabs[0]?.waitFor(() => window.flags.status.connection.is === 'live');
      expect((await play.server.health()).streams).toBe(1);
    }
    await tabs[0]?.close();
    // WebKit ends a worker with the tab that started it, and no lock tells; a sign of the browser makes the others look.
    for (const tab of tabs.slice(1)) await tab.evaluate(() => window.dispatchEvent(new Event('online')));
    await play.editReaches(tabs.slice(1));
  },
);

const STORAGE_FAULTS: Readonly<Partial<Record<Missing, string>>> = {
  indexedDB: 'is blocked',
  'indexedDB answers': 'never answers',
  room: 'is full',
};

for (const [missing, what] of Object.entries(STORAGE_FAULTS) as [Missing, string][]) {
  scenario(
    `the browser's storage ${what}: flags are live from memory, and the status says so`,
    async (play) => {
      const tabs = await play.openMany(3, { without: [missing] });
      await play.editReaches(tabs);
      await play.editReaches(tabs);
      for (const tab of tabs) await tab.waitFor(() => window.flags.status.storage === 'memory');
      expect((await play.server.health()).streams).toBe(1);
      await tabs[0]?.close();
      await play.editReaches(tabs.slice(1));
      for (const tab of tabs.slice(1)) expect(tab.complaints).toEqual([]);
    },
  );
}

scenario(
  'the database is deleted under the running hub: nothing is lost, and the next start finds everything',
  async (play) => {
    const tab = await play.open();
    await play.editReaches([tab]);
    await tab.evaluate(async () => {
      for (const { name = '' } of await indexedDB.databases()) {
        await new Promise((resolve) => {
          indexedDB.deleteDatabase(name).onsuccess = resolve;
        });
      }
    });
    const revision = await play.editReaches([tab]);
    const held = await tab.flagsJson();
    await tab.close();
    play.proxy.refuse();
    const next = await play.open();
    await next.reaches(revision);
    expect(await next.flagsJson()).toBe(held);
    expect(await next.evaluate(() => window.flags.status.source)).toBe('storage');
  },
);
