/** The list of what cannot be played in an engine says the truth. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Browser, Tab } from '../kit/browser.ts';
import { engine } from '../kit/engine-under-test.ts';
import { enginesWithout, SCENARIO_LIMITS } from '../kit/scenario-limits.ts';

const suite = readdirSync(import.meta.dirname)
  .filter((file) => file.startsWith('scenario-'))
  .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
  .join('\n');

test('every scenario that is left out somewhere exists, and says why', () => {
  for (const { scenario, because } of SCENARIO_LIMITS) {
    expect(suite).toContain(`'${scenario}'`);
    expect(because).toMatch(/\w{3}/);
  }
});

test('what is left out for want of a means is left out exactly where the driver lacks it', () => {
  for (const { needs, engines } of SCENARIO_LIMITS) {
    if (needs !== undefined) expect(engines).toEqual(enginesWithout(needs));
  }
});

/** Tries each means once, as a scenario would. */
const TRIALS: Readonly<Record<string, (browser: Browser, tab: Tab) => Promise<unknown>>> = {
  freeze: (_, tab) => tab.freeze(),
  crashTab: (_, tab) => tab.crash(),
};

test('an engine that is said to lack a means does lack it', async () => {
  const browser = await engine.launch();
  try {
    for (const [means, attempt] of Object.entries(TRIALS)) {
      if (enginesWithout(means as 'freeze').includes(engine.name))
        await expect(attempt(browser, await browser.newTab())).rejects.toThrow(`cannot ${means}`);
    }
  } finally {
    await browser.close();
  }
});
