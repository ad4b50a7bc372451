/** Chromium over playwright-core: one context per browser, since contexts do not share workers or storage. */
import { type BrowserContext, chromium, type Browser as Program } from 'playwright-core';
import type { Browser, LaunchOptions } from './browser.ts';
import { evaluateInSharedWorker, killSharedWorkers } from './chromium-workers.ts';
import { createTab } from './playwright-tab.ts';

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

const WAIT_AT_MOST_MS = 15_000;

export async function launchChromium(executablePath: string, options: LaunchOptions): Promise<Browser> {
  const launch = {
    executablePath,
    headless: true,
    args: [...ARGS, ...(options.args ?? [])],
    // A test that is killed must not wait for the browser's polite end.
    handleSIGTERM: false,
    ...(options.backForwardCache && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
  };
  const { program, context } = await open(launch, options.profileDir);
  return {
    name: 'chromium',
    version: program.version(),
    async newTab(url) {
      const tab = createTab(await context.newPage(), options.waitAtMostMs ?? WAIT_AT_MOST_MS);
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
    },
  };
}

type Launch = NonNullable<Parameters<typeof chromium.launch>[0]>;

async function open(
  launch: Launch,
  profileDir: string | undefined,
): Promise<{ program: Program; context: BrowserContext }> {
  if (profileDir === undefined) {
    const program = await chromium.launch(launch);
    return { program, context: await program.newContext({ viewport: null }) };
  }
  const context = await chromium.launchPersistentContext(profileDir, { ...launch, viewport: null });
  const program = context.browser();
  if (program === null) throw new Error(`Chromium with the profile ${profileDir} closed while it started.`);
  return { program, context };
}
