/** Firefox over playwright-core and WebDriver BiDi: one profile per browser, since contexts do not share workers or storage. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BrowserContext, firefox, type Page } from 'playwright-core';
import type { Browser, LaunchOptions } from './browser.ts';
import { CAPABILITIES, cannot } from './capabilities.ts';
import { createPlaywrightTab } from './playwright-tab.ts';
import { findChild, killWithDescendants } from './processes.ts';

/** Starts the program so that it survives the crash of a page. */
const SCRIPT = resolve(import.meta.dirname, 'firefox.sh');

const PREFERENCES = {
  // Nothing but this machine can be reached, whatever a page or the browser itself tries.
  'network.proxy.type': 0,
  'network.dns.disabled': true,
  'services.settings.server': 'data:,',
  'app.normandy.enabled': false,
  'nimbus.rollouts.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'extensions.update.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.discovery.enabled': false,
  'browser.newtabpage.enabled': false,
  'browser.startup.page': 0,
  // The question whether a site may keep its data would never be answered.
  'dom.storageManager.prompt.testing': true,
  'dom.storageManager.prompt.testing.allow': true,
  'dom.ipc.processPrelaunch.enabled': false,
};

export async function launchFirefox(
  programs: { readonly browser: string },
  options: LaunchOptions & { readonly waitAtMostMs: number },
): Promise<Browser> {
  const ownProfile = options.profileDir ? undefined : await mkdtemp(join(tmpdir(), 'flagent-firefox-'));
  const profileDir = options.profileDir ?? ownProfile ?? '';
  const context = await firefox.launchPersistentContext(profileDir, {
    channel: 'moz-firefox',
    executablePath: SCRIPT,
    env: { ...process.env, FIREFOX_PROGRAM: programs.browser },
    headless: true,
    // Only so may a page go to the address where its process crashes.
    args: ['--remote-allow-system-access', ...(options.args ?? [])],
    firefoxUserPrefs: {
      ...PREFERENCES,
      'browser.sessionhistory.max_total_viewers': options.backForwardCache ? -1 : 0,
    },
    viewport: null,
    // A test that is killed must not wait for the browser's polite end.
    handleSIGTERM: false,
  });
  let isUnused = true;
  return {
    name: 'firefox',
    version: context.browser()?.version() ?? '',
    can: CAPABILITIES.firefox,
    async newTab(url) {
      const [first] = context.pages();
      const page = isUnused && first !== undefined ? first : await context.newPage();
      isUnused = false;
      const tab = createPlaywrightTab(page, {
        waitAtMostMs: options.waitAtMostMs,
        crash: crashTab,
        freeze: () => cannot('firefox', 'freeze'),
      });
      if (url !== undefined) await tab.goto(url);
      return tab;
    },
    killSharedWorkers: () => cannot('firefox', 'killSharedWorkers'),
    evaluateInSharedWorker: () => cannot('firefox', 'evaluateInSharedWorker'),
    crash: () => crash(context, profileDir),
    async close() {
      await context.close();
      if (ownProfile !== undefined) await rm(ownProfile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Each window has a process of its own; the SharedWorkers that its page was the first to ask for run there too. */
async function crashTab(page: Page): Promise<void> {
  const failure = await page.goto('about:crashcontent').catch((error: Error) => error);
  if (!(failure instanceof Error) || failure.message.includes('not allowed')) {
    throw new Error('Firefox did not crash the page.', { cause: failure });
  }
}

async function crash(context: BrowserContext, profileDir: string): Promise<void> {
  const gone = new Promise<void>((resolve) => context.once('close', () => resolve()));
  killWithDescendants(findChild(process.pid, profileDir));
  await gone;
}
