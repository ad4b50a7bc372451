/** Tabs and workers that die, hang or sleep without a word: the next one streams, and nobody misses a change. */
import { expect } from 'vitest';
import { engine } from '../kit/engine-under-test.ts';
import { stageScenarios, waitForStreams } from '../kit/scenario.ts';

const scenario = stageScenarios({ workersApart: true });

/** Runs in a page whose worker is `lesser-worker.js`. */
const endWorker = (): void => new BroadcastChannel('end of the worker').postMessage('now');

// The first one: WebKit can kill the first worker of an origin only.
scenario(
  'the worker dies without a word: every tab notices and streams again, by event id',
  async (play) => {
    const tabs = await play.openMany(3, { worker: { url: '/lesser-worker.js' } });
    await play.editReaches(tabs);
    const hub = await tabs[0]?.evaluate(async () => (await window.flags.debug()).bootId);
    const before = await play.server.health();
    if (engine.can.killSharedWorkers) await play.browser.killSharedWorkers();
    else await tabs[0]?.evaluate(endWorker);
    await tabs[1]?.waitFor(async (old: string) => (await window.flags.debug()).bootId !== old, hub ?? '');
    await play.editReaches(tabs);
    const after = await play.server.health();
    expect(after).toMatchObject({ streamsOpened: before.streamsOpened + 1, resumed: before.resumed + 1 });
    for (const tab of tabs)
      await tab.waitFor(() => window.flags.status.tabs === 3 && window.flags.status.host === 'shared-worker');
  },
  { hosts: ['shared-worker'] },
);

scenario('the tab that streams crashes, and the next one goes on', async (play) => {
  const first = await play.open();
  await play.editReaches([first]);
  const others = await play.openMany(2);
  await play.editReaches(others);
  await first.crash();
  await play.editReaches(others);
  await play.editReaches(others);
});

scenario('a tab that crashes while another streams is not counted for long', async (play) => {
  const first = await play.open();
  const second = await play.open();
  await play.editReaches([first, second]);
  await second.crash();
  await play.editReaches([first]);
  await first.waitFor(() => window.flags.status.tabs === 1);
});

scenario(
  'the worker ends itself while the server is down: tabs read on, and are current when it is back',
  async (play) => {
    const tabs = await play.openMany(2, { worker: { url: '/lesser-worker.js' } });
    const revision = await play.editReaches(tabs);
    play.proxy.refuse();
    await tabs[0]?.evaluate(endWorker);
    for (const tab of tabs) {
      await tab.waitFor(() => {
        const { source, connection } = window.flags.status;
        return source === 'storage' && connection.is === 'waiting';
      });
      expect(await tab.evaluate(() => window.flags.status.revision)).toBe(revision);
    }
    const missed = await play.edit();
    await play.proxy.restore();
    for (const tab of tabs) await tab.reaches(missed);
  },
  { hosts: ['shared-worker'] },
);

scenario(
  'the tab that streams hangs with the lock in its hand: another takes the stream, and the one that wakes follows it',
  async (play) => {
    const first = await play.open();
    await play.editReaches([first]);
    const others = await play.openMany(2);
    await play.editReaches(others);
    await first.freeze();
    const missed = await play.edit();
    // A sign of the browser makes a follower look whether its leader lives.
    await others[0]?.evaluate(() => window.dispatchEvent(new Event('online')));
    for (const tab of others) await tab.reaches(missed);
    await first.unfreeze();
    // At once, and not only when storage refuses what it writes.
    await waitForStreams(play.server, 1);
    await play.editReaches([first, ...others]);
  },
  // Until it wakes, the stream of the tab that hangs stays open and nobody can close it.
  { hosts: ['tab'], streams: 2 },
);
