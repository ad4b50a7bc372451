/** A tab over a playwright page; what each engine does its own way is passed in. */
import type { Page } from 'playwright-core';
import type { Tab } from './browser.ts';
import { callInPage, waitFor } from './wait-for.ts';

export interface PlaywrightTabOptions {
  readonly waitAtMostMs: number;
  /** Address of the page that the browser goes to when one could not be loaded, if it goes anywhere. */
  readonly errorPage?: RegExp;
  crash(page: Page): Promise<void>;
  /** Gives what wakes the page again. */
  freeze(page: Page): Promise<() => Promise<void>>;
}

export function createPlaywrightTab(page: Page, options: PlaywrightTabOptions): Tab {
  const complaints: string[] = [];
  let wake: (() => Promise<void>) | undefined;
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
  page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
  const evaluate = (expression: string): Promise<unknown> => page.evaluate(expression);
  const waitForAnswer = (ask: string): Promise<unknown> =>
    waitFor({ ask, waitAtMostMs: options.waitAtMostMs, complaints, evaluate, wasNavigation });
  const navigate = async (go: () => Promise<unknown>): Promise<void> => {
    try {
      await go();
    } catch (error) {
      // The error page comes later, and would interrupt the next navigation.
      const { errorPage } = options;
      if (errorPage && (error as Error).message.includes('net::ERR_')) await page.waitForURL(errorPage);
      throw error;
    }
  };

  return {
    complaints,
    goto: (url) => navigate(() => page.goto(url, { waitUntil: 'load' })),
    reload: () => navigate(() => page.reload({ waitUntil: 'load' })),
    async goBack() {
      const left = page.url();
      // A page from the back/forward cache does not load, so there is nothing to wait for but its address.
      await evaluate('void history.back()');
      await waitForAnswer(`location.href !== ${JSON.stringify(left)}`);
    },
    evaluate: (run, ...[arg]) => evaluate(callInPage(run, arg)) as never,
    waitFor: (ask, ...[arg]) => waitForAnswer(callInPage(ask, arg)) as never,
    async screenshot(path) {
      await page.screenshot({ path });
    },
    crash: () => options.crash(page),
    async freeze() {
      wake = await options.freeze(page);
    },
    async unfreeze() {
      await wake?.();
      wake = undefined;
    },
    close: () => page.close(),
  };
}

function wasNavigation(error: Error): boolean {
  return /context was destroyed|navigation|cannot find context/i.test(error.message);
}
