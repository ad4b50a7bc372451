/** A deploy while tabs are open: two builds of the worker side by side. Whatever the order, one stream and no tab misses a change. */
import { expect } from 'vitest';
import type { ClientTab } from '../kit/client-tab.ts';
import { engine } from '../kit/engine-under-test.ts';
import { type Play, stageScenarios } from '../kit/scenario.ts';

const scenario = stageScenarios();

type Build = 'old' | 'new';

/** Two URLs are two workers. Tabs that host a hub have no worker, and the two are the same to them. */
const workerOf = (build: Build) => ({ worker: { url: `/shared-worker.js?build=${build}` } });

/** Every way to open two tabs of each build; which one comes first is called old. */
const OPENINGS: readonly (readonly Build[])[] = [
  ['old', 'old', 'new', 'new'],
  ['old', 'new', 'old', 'new'],
  ['old', 'new', 'new', 'old'],
];

/** Every order of closing four tabs; the last one is left to tell whether it has missed a change. */
const CLOSINGS: readonly (readonly number[])[] = [0, 1, 2, 3].flatMap((first) =>
  [0, 1, 2, 3].flatMap((second) =>
    [0, 1, 2, 3]
      .filter((third) => new Set([first, second, third]).size === 3)
      .map((third) => [first, second, third]),
  ),
);

/** All of them where tabs are cheap; elsewhere two for each opening, differing ones. */
function closingsFor(opening: number): readonly (readonly number[])[] {
  return engine.name === 'chromium' ? CLOSINGS : CLOSINGS.filter((_, index) => index % 12 === 4 * opening);
}

async function openAll(play: Play, builds: readonly Build[]): Promise<ClientTab[]> {
  const tabs: ClientTab[] = [];
  for (const build of builds) {
    tabs.push(await play.open(workerOf(build)));
    await play.editReaches(tabs);
  }
  return tabs;
}

for (const [index, builds] of OPENINGS.entries()) {
  scenario(
    `two builds, tabs opened in the order ${builds.join(', ')} and closed in one order after another`,
    async (play) => {
      for (const closing of closingsFor(index)) {
        const tabs = await openAll(play, builds);
        expect((await play.server.health()).streams).toBe(1);
        const left = new Set(tabs);
        for (const nth of closing) {
          const tab = tabs[nth];
          if (tab === undefined) throw new Error(`There is no tab ${nth}.`);
          left.delete(tab);
          await tab.close();
          await play.editReaches([...left]);
        }
        for (const tab of left) await tab.close();
        // The next round counts streams, and a busy server may not have heard yet that this one has ended.
        await expect.poll(async () => (await play.server.health()).streams, { timeout: 10_000 }).toBe(0);
      }
    },
    { hosts: ['shared-worker'], timeoutMs: 180_000 },
  );
}
