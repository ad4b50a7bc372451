/** A tab over a playwright page. */
import type { Page } from 'playwright-core';
import type { Tab } from './browser.ts';

const ASK_EVERY_MS = 10;

export function createTab(page: Page, waitAtMostMs: number): Tab {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
  page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));

  return {
    complaints,
    goto: (url) => navigate(page, () => page.goto(url, { waitUntil: 'load' })),
    reload: () => navigate(page, () => page.reload({ waitUntil: 'load' })),
    evaluate: (run, ...[arg]) => page.evaluate(callInPage(run, arg)),
    waitFor: (ask, ...[arg]) => waitFor(page, { ask: callInPage(ask, arg), waitAtMostMs, complaints }),
    async screenshot(path) {
      await page.screenshot({ path });
    },
    async crash() {
      const crashed = new Promise<void>((resolve) => page.once('crash', () => resolve()));
      const session = await page.context().newCDPSession(page);
      // Never answered: the one who would answer is dead.
      void session.send('Page.crash').catch(() => {});
      await crashed;
    },
    close: () => page.close(),
  };
}

/** A failed navigation ends when the browser's error page is there: it would interrupt the next navigation otherwise. */
async function navigate(page: Page, go: () => Promise<unknown>): Promise<void> {
  try {
    await go();
  } catch (error) {
    if ((error as Error).message.includes('net::ERR_')) await page.waitForURL(/^chrome-error:/);
    throw error;
  }
}

/** The call as source text, which a page evaluates whatever its content security policy. */
export function callInPage(run: (arg: never) => unknown, arg: unknown): string {
  return `(${run})(${arg === undefined ? '' : JSON.stringify(arg)})`;
}

interface Wait {
  /** An expression. */
  readonly ask: string;
  readonly waitAtMostMs: number;
  readonly complaints: readonly string[];
}

async function waitFor<R>(page: Page, { ask, waitAtMostMs, complaints }: Wait): Promise<R> {
  const deadlineMs = Date.now() + waitAtMostMs;
  let lastAnswer = 'none';
  while (Date.now() < deadlineMs) {
    const outcome = await askInPage<R>(page, ask, deadlineMs - Date.now());
    if ('answer' in outcome) return outcome.answer;
    lastAnswer = outcome.lastAnswer;
  }
  throw new Error(
    `Waited ${waitAtMostMs} ms in ${page.url()} for ${ask}; the last answer was ${lastAnswer}.` +
      (complaints.length > 0 ? `\nThe page complains: ${complaints.join('\n')}` : ''),
  );
}

type Outcome<R> = { readonly answer: R } | { readonly lastAnswer: string };

/** Asks until the answer is truthy or the time is up; a navigation ends this round, and the caller begins another. */
async function askInPage<R>(page: Page, ask: string, forMs: number): Promise<Outcome<R>> {
  const round = `(async () => {
    const deadlineMs = performance.now() + ${forMs};
    const timeIsUp = new Promise((resolve) => setTimeout(resolve, ${forMs}));
    let lastAnswer = 'still open';
    do {
      try {
        const answer = await Promise.race([${ask}, timeIsUp]);
        if (answer) return { answer };
        if (performance.now() < deadlineMs) lastAnswer = JSON.stringify(answer) ?? String(answer);
      } catch (error) {
        lastAnswer = 'the error ' + error;
      }
      await new Promise((resolve) => setTimeout(resolve, ${ASK_EVERY_MS}));
    } while (performance.now() < deadlineMs);
    return { lastAnswer };
  })()`;
  try {
    return await page.evaluate(round);
  } catch (error) {
    const message = (error as Error).message;
    if (!/context was destroyed|navigation/i.test(message)) throw error;
    return { lastAnswer: message };
  }
}
