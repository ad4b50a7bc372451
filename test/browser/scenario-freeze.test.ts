/** Tabs that the browser stops to save power, without ending them: it tells them so. */
import { expect } from 'vitest';
import { findLeader, stageScenarios } from '../kit/scenario.ts';

const scenario = stageScenarios({ freezable: true });

scenario(
  'the tab that streams is frozen: another one streams, and the thawed one is current and follows',
  async (play) => {
    const first = await play.open();
    await play.editReaches([first]);
    const others = await play.openMany(2);
    await play.editReaches(others);
    await first.freeze();
    const missed = await play.editReaches(others);
    await play.editReaches(others);
    await first.unfreeze();
    await first.reaches(missed);
    await play.editReaches([first, ...others]);
    expect(await first.evaluate(() => window.flags.status.connection.is)).toBe('live');
    if (play.host === 'tab') expect(await findLeader([first, ...others])).not.toBe(first);
  },
);

scenario('a tab that follows is frozen and thawed: it misses nothing and disturbs nobody', async (play) => {
  const tabs = [await play.open(), await play.open()];
  await play.editReaches(tabs);
  const { streamsOpened } = await play.server.health();
  await tabs[1]?.freeze();
  await play.editReaches(tabs.slice(0, 1));
  const missed = await play.editReaches(tabs.slice(0, 1));
  await tabs[1]?.unfreeze();
  await tabs[1]?.reaches(missed);
  await play.editReaches(tabs);
  expect((await play.server.health()).streamsOpened).toBe(streamsOpened);
});
