/** Pages that wait behind the back button: they give the stream away, are left alone, and are current when they come back. */
import { expect } from 'vitest';
import { type ClientTab, startClient } from '../kit/client-tab.ts';
import { engine } from '../kit/engine-under-test.ts';
import { type Play, stageScenarios } from '../kit/scenario.ts';

const scenario = stageScenarios({ backForwardCache: true });

declare global {
  interface Window {
    /** Whether the page was shown again out of the cache, and why it was not. */
    wasKept?: boolean;
  }
}

/** Every page that uses this client holds a Web Lock. */
const KEEPS_PAGES = engine.can.keepPageWithLocks;

/** A page of this origin without a client. */
const elsewhere = (play: Play): string => `${play.site.url}/?elsewhere`;

/** After the back button: the page as it was, or a new one where the engine or a busy machine has not kept it. */
async function comeBack(tab: ClientTab, play: Play): Promise<'kept' | 'new'> {
  await tab.goBack();
  await tab.waitFor(() => window.flagentOffline !== undefined);
  if (await tab.evaluate(() => window.wasKept === true)) return 'kept';
  if (await tab.evaluate(() => window.flags === undefined)) await startClient(tab, play.options);
  return 'new';
}

/** A busy machine does not keep every page; one that is never kept was thrown out by us. */
const ATTEMPTS = 3;

scenario(
  'the tab that streams is left by a link: another one streams, and the back button shows it current',
  async (play) => {
    const first = await play.open();
    await play.editReaches([first]);
    const second = await play.open();
    await play.editReaches([first, second]);
    let outcome: 'kept' | 'new' = 'new';
    for (let attempt = 0; attempt < ATTEMPTS && outcome === 'new'; attempt += 1) {
      await first.evaluate(() => {
        window.addEventListener('pageshow', ({ persisted }) => {
          window.wasKept = persisted;
        });
      });
      await first.goto(elsewhere(play));
      // What is sent while the page sleeps must not reach it: a message would throw it out of the cache.
      await play.editReaches([second]);
      const missed = await play.editReaches([second]);
      expect((await play.server.health()).streams).toBe(1);
      outcome = await comeBack(first, play);
      await first.reaches(missed);
      if (!KEEPS_PAGES) break;
    }
    expect(outcome).toBe(KEEPS_PAGES ? 'kept' : 'new');
    await play.editReaches([first, second]);
    for (const tab of [first, second]) {
      await tab.waitFor(() => window.flags.status.tabs === 2 && window.flags.status.connection.is === 'live');
    }
  },
);

scenario('the only tab is left and comes back: it is current again, with one stream', async (play) => {
  const tab = await play.open();
  await play.editReaches([tab]);
  for (let times = 0; times < 2; times += 1) {
    await tab.goto(elsewhere(play));
    const missed = await play.edit();
    await comeBack(tab, play);
    await tab.reaches(missed);
    await play.editReaches([tab]);
  }
  expect((await play.server.health()).streams).toBe(1);
});

scenario(
  'the network is down while a page sleeps: it comes back with what it held, and catches up later',
  async (play) => {
    const tab = await play.open();
    const held = await play.editReaches([tab]);
    await tab.goto(elsewhere(play));
    play.proxy.refuse();
    const missed = await play.edit();
    await comeBack(tab, play);
    await tab.reaches(held);
    await play.proxy.restore();
    await tab.reaches(missed);
  },
);

// WebKit ends the process of an earlier tab, and the worker in it, when the fourth one opens.
scenario(
  'tabs open one after another in a browser that keeps pages: all of them are current each time',
  async (play) => {
    const tabs = [];
    for (let count = 1; count <= 5; count += 1) {
      tabs.push(await play.open());
      await play.editReaches(tabs);
    }
    expect((await play.server.health()).streams).toBe(1);
  },
);
