/** Chromium over playwright-core: one context per browser, since contexts do not share workers or storage. */
import { type BrowserContext, chromium, type Page, type Browser as Program } from 'playwright-core';
import type { Browser, LaunchOptions } from './browser.ts';
import { CAPABILITIES } from './capabilities.ts';
import { startFreezableChromium } from './chromium-freezable.ts';
import { evaluateInSharedWorker, killSharedWorkers } from './chromium-workers.ts';
import { createPlaywrightTab } from './playwright-tab.ts';

const ARGS = [
  // Chromium's sandbox refuses to run as root; the pages are ours.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Nothing but this machine can be reached, whatever a page or the browser itself tries.
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.* , EXCLUDE localhost',
];

export async function launchChromium(
  programs: { readonly browser: string },
  options: LaunchOptions & { readonly waitAtMostMs: number },
): Promise<Browser> {
  const launch = {
    executablePath: programs.browser,
    headless: true,
    args: [...ARGS, ...(options.args ?? [])],
    // A test that is killed must not wait for the browser's polite end.
    handleSIGTERM: false,
    ...(options.backForwardCache && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
  };
  const { program, context, stop } = options.freezable
    ? await startFreezableChromium(programs.browser, launch.args)
    : await open(launch, options.profileDir);
  return {
    name: 'chromium',
    version: program.version(),
    can: CAPABILITIES.chromium,
    async newTab(url) {
      const tab = createPlaywrightTab(await context.newPage(), {
        waitAtMostMs: options.waitAtMostMs,
        errorPage: /^chrome-error:/,
        crash: crashTab,
        freeze: options.freezable ? freezeAsBrowser : freezeTab,
      });
      if (url !== undefined) await tab.goto(url);
      return tab;
    },
    killSharedWorkers: () => killSharedWorkers(program),
    evaluateInSharedWorker: (run, ...[arg]) => evaluateInSharedWorker(program, run, arg) as never,
    async crash() {
      const gone = new Promise<void>((resolve) => context.once('close', () => resolve()));
      const session = await program.newBrowserCDPSession();
      // Never answered: the one who would answer is dead.
      void session.send('Browser.crash').catch(() => {});
      await gone;
    },
    async close() {
      await context.close();
      await program.close();
      await stop();
    },
  };
}

async function crashTab(page: Page): Promise<void> {
  const crashed = new Promise<void>((resolve) => page.once('crash', () => resolve()));
  const session = await page.context().newCDPSession(page);
  // Never answered: the one who would answer is dead.
  void session.send('Page.crash').catch(() => {});
  await crashed;
}

/** As the browser saves power: the page hears `freeze` and `resume`. Does nothing to a page that looks focused. */
async function freezeAsBrowser(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  return async () => {
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await session.detach();
  };
}

/** Without a word to the page: the debugger stops it, also one that looks focused. */
async function freezeTab(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Debugger.enable');
  const paused = new Promise<void>((resolve) => session.once('Debugger.paused', () => resolve()));
  // Answered when the page goes on.
  void session.send('Runtime.evaluate', { expression: 'debugger' }).catch(() => {});
  await paused;
  return () => session.detach();
}

type Launch = NonNullable<Parameters<typeof chromium.launch>[0]>;

async function open(
  launch: Launch,
  profileDir: string | undefined,
): Promise<{ program: Program; context: BrowserContext; stop: () => Promise<void> }> {
  if (profileDir === undefined) {
    const program = await chromium.launch(launch);
    return { program, context: await program.newContext({ viewport: null }), stop: async () => {} };
  }
  const context = await chromium.launchPersistentContext(profileDir, { ...launch, viewport: null });
  const program = context.browser();
  if (program === null) throw new Error(`Chromium with the profile ${profileDir} closed while it started.`);
  return { program, context, stop: async () => {} };
}
