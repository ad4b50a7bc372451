/** Networks and servers that fail: every tab notices, comes back by itself, and misses nothing. */
import { expect } from 'vitest';
import { startFlagServer } from '../kit/flag-server.ts';
import { buildFlags } from '../kit/flags.ts';
import { editFlag, expectOneStream, type Play, stageScenarios, waitForStreams } from '../kit/scenario.ts';
import { watchStreams } from '../kit/watch-streams.ts';

const scenario = stageScenarios();

/** What happened since, in the server's own counts. */
async function countStreamsOf(play: Play, act: () => Promise<void>) {
  const before = await play.server.health();
  await act();
  const after = await play.server.health();
  return { opened: after.streamsOpened - before.streamsOpened, resumed: after.resumed - before.resumed };
}

scenario(
  'the server is killed and comes back: all tabs are current without a reload, by event id',
  async (play) => {
    const server = await startFlagServer();
    const watch = watchStreams(server);
    try {
      await server.rest('/import', { method: 'POST', body: { flags: buildFlags(5) } });
      const tabs = await play.openMany(3, { url: server.url });
      const { revision } = await server.health();
      for (const tab of tabs) await tab.reaches(revision);
      await waitForStreams(server, 1);
      await server.stop('SIGKILL');
      for (const tab of tabs) await tab.waitFor(() => window.flags.status.connection.is !== 'live');
      await server.restart();
      const missed = await editFlag(server);
      for (const tab of tabs) await tab.reaches(missed);
      await waitForStreams(server, 1);
      expect(await server.health()).toMatchObject({ streamsOpened: 1, resumed: 1 });
      for (const tab of tabs) {
        await tab.waitFor(() => window.flags.status.connection.is === 'live');
        expect(await tab.evaluate(() => window.heard.at(-1))).toMatch(new RegExp(`@${missed}$`));
      }
      for (const tab of tabs) await tab.close();
    } finally {
      await watch.stop();
      await server.close();
    }
    expectOneStream(watch);
  },
);

for (const how of ['reset', 'fin'] as const) {
  scenario(`the connection is cut by ${how}: one new stream sends only what was missed`, async (play) => {
    const tabs = await play.openMany(2);
    await play.editReaches(tabs);
    const counts = await countStreamsOf(play, async () => {
      play.proxy.refuse(how);
      for (const tab of tabs) await tab.waitFor(() => window.flags.status.connection.is === 'waiting');
      const missed = await play.edit();
      await play.proxy.restore();
      for (const tab of tabs) await tab.reaches(missed);
    });
    expect(counts).toEqual({ opened: 1, resumed: 1 });
  });

  scenario(
    `the connection is cut by ${how} inside a character: no change is lost and none is halved`,
    async (play) => {
      const tabs = await play.openMany(2);
      await play.editReaches(tabs);
      const description = 'Größe ✓ 🚀'.repeat(20);
      play.proxy.shape({ chunkBytes: 1 });
      for (const cutAt of [40, 150, 171]) {
        // Each byte comes alone, and the last one before the cut is somewhere in the middle of the event.
        play.proxy.cutAfter(cutAt, how);
        await play.server.rest('/flags/1', {
          method: 'PUT',
          body: { description: `${cutAt} ${description}` },
        });
        await Promise.all(tabs.map((tab) => tab.waitFor(() => window.flags.status.connection.is !== 'live')));
        play.proxy.cutAfter(Number.POSITIVE_INFINITY);
        const revision = await play.edit();
        for (const tab of tabs) {
          await tab.reaches(revision);
          expect(await tab.flagsJson()).toContain(`"description":"${cutAt} ${description}`);
        }
      }
    },
  );
}

scenario(
  'a half-open connection is noticed within the watchdog time, and all tabs are current after it',
  async (play) => {
    const tabs = await play.openMany(3);
    await play.editReaches(tabs);
    const { silenceMs = 0 } = play.options.connection ?? {};
    play.proxy.stall();
    const stalledAtMs = Date.now();
    const missed = await play.edit();
    for (const tab of tabs) await tab.waitFor(() => window.flags.status.connection.is !== 'live');
    const noticedAfterMs = Date.now() - stalledAtMs;
    expect(noticedAfterMs).toBeGreaterThan(silenceMs / 2);
    expect(noticedAfterMs).toBeLessThan(silenceMs * 3);
    await play.proxy.restore();
    for (const tab of tabs) {
      await tab.reaches(missed);
      await tab.waitFor(() => window.flags.status.connection.is === 'live');
    }
    await play.editReaches(tabs);
  },
);

scenario('a connection that stalls for less than the watchdog time is kept', async (play) => {
  const tabs = await play.openMany(2);
  await play.editReaches(tabs);
  const { streamsOpened } = await play.server.health();
  play.proxy.stall();
  const missed = await play.edit();
  await play.proxy.restore();
  for (const tab of tabs) await tab.reaches(missed);
  expect((await play.server.health()).streamsOpened).toBe(streamsOpened);
});

scenario('a trickle of bytes is slow and not dead: flags arrive over one stream', async (play) => {
  play.proxy.shape({ bytesPerSecond: 4_000 });
  const tabs = await play.openMany(2);
  const { opened } = await countStreamsOf(play, async () => {
    await play.editReaches(tabs);
    await play.editReaches(tabs);
  });
  expect(opened).toBeLessThanOrEqual(1);
});

scenario('a server that does not answer is tried again at once when `online` fires', async (play) => {
  const tabs = await play.openMany(2, {
    connection: { ...play.options.connection, retryBaseMs: 600_000, retryCapMs: 600_000 },
  });
  await play.editReaches(tabs);
  play.proxy.refuse();
  for (const tab of tabs) await tab.waitFor(() => window.flags.status.connection.is === 'waiting');
  const missed = await play.edit();
  await play.proxy.restore();
  // Full jitter could fall due by chance; what is left of ten minutes is far beyond this test.
  await tabs[1]?.evaluate(() => window.dispatchEvent(new Event('online')));
  for (const tab of tabs) await tab.reaches(missed);
});
