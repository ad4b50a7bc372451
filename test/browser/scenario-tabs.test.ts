/** Many tabs, one stream: tabs come, go and navigate, and nobody misses a change. */
import { expect } from 'vitest';
import { openClientTab, startClient } from '../kit/client-tab.ts';
import { engine } from '../kit/engine-under-test.ts';
import { findLeader, stageScenarios, waitForStreams } from '../kit/scenario.ts';

const scenario = stageScenarios();

scenario('ten tabs share one stream, and an edit reaches all of them', async (play) => {
  const { streamsOpened } = await play.server.health();
  const tabs = await play.openMany(10);
  const revision = await play.editReaches(tabs);
  expect(await play.server.health()).toMatchObject({ streams: 1, streamsOpened: streamsOpened + 1 });
  for (const tab of tabs) {
    expect((await tab.evaluate(() => window.heard)).at(-1)).toMatch(new RegExp(`@${revision}$`));
    await tab.waitFor(() => window.flags.status.tabs === 10 && window.flags.status.connection.is === 'live');
  }
  const hosts = new Set(await Promise.all(tabs.map((tab) => tab.evaluate(() => window.flags.status.host))));
  expect([...hosts].sort()).toEqual(play.host === 'tab' ? ['follower', 'tab'] : ['shared-worker']);
});

scenario('the tab that streams is closed, again and again, and the others stay current', async (play) => {
  let tabs = await play.openMany(4);
  await play.editReaches(tabs);
  while (tabs.length > 1) {
    const leader = await findLeader(tabs);
    tabs = tabs.filter((tab) => tab !== leader);
    await leader.close();
    await play.editReaches(tabs);
  }
  await tabs[0]?.waitFor(() => window.flags.status.tabs === 1);
});

scenario('edits made while tabs open and close in turn all arrive', async (play) => {
  const first = await play.open();
  const second = await play.open();
  await play.editReaches([first, second]);
  await first.close();
  const third = await play.open();
  const revisions = [await play.edit(), await play.edit(), await play.edit()];
  await second.close();
  await third.reaches(revisions[2] ?? 0);
  await play.editReaches([third]);
});

scenario('a tab that navigates through a site keeps its flags and resumes by event id', async (play) => {
  const tab = await play.open();
  await play.editReaches([tab]);
  for (const page of ['products', 'basket', 'pay']) {
    const revision = await play.edit();
    await tab.goto(`${play.pageUrl()}${play.host === 'tab' ? '&' : '?'}${page}`);
    const before = await play.server.health();
    await startClient(tab, play.options);
    await tab.reaches(revision);
    const missed = await play.edit();
    await tab.reaches(missed);
    const after = await play.server.health();
    // Without a new stream it has gone on with the old one.
    expect(after.resumed - before.resumed).toBe(after.streamsOpened - before.streamsOpened);
  }
});

scenario('`offline` cuts nothing, and `online` does not either while the stream lives', async (play) => {
  const tabs = await play.openMany(2);
  await play.editReaches(tabs);
  const { streamsOpened } = await play.server.health();
  for (const tab of tabs) await tab.evaluate(() => window.dispatchEvent(new Event('offline')));
  await play.editReaches(tabs);
  for (const tab of tabs) await tab.evaluate(() => window.dispatchEvent(new Event('online')));
  await play.editReaches(tabs);
  expect((await play.server.health()).streamsOpened).toBe(streamsOpened);
});

scenario(
  'tabs with a worker and tabs without one share one stream',
  async (play) => {
    const tabs = [
      await play.open(),
      await play.open({ host: 'tab' }),
      await play.open(),
      await play.open({ host: 'tab' }),
    ];
    await play.editReaches(tabs);
    expect((await play.server.health()).streams).toBe(1);
    await tabs[0]?.close();
    await play.editReaches(tabs.slice(1));
    await tabs[2]?.close();
    await play.editReaches([tabs[1], tabs[3]].filter((tab) => tab !== undefined));
  },
  { hosts: ['shared-worker'] },
);

scenario(
  'another profile, as a private window, knows nothing of the first: it has a stream of its own',
  async (play) => {
    const tab = await play.open();
    await play.editReaches([tab]);
    const other = await engine.launch();
    try {
      const stranger = await openClientTab(other, play.pageUrl(), play.options);
      await play.editReaches([tab, stranger]);
      expect(await stranger.evaluate(() => window.flags.status.tabs)).toBe(1);
      await waitForStreams(play.server, 2);
    } finally {
      await other.close();
    }
    await waitForStreams(play.server, 1);
  },
  { streams: 2 },
);
