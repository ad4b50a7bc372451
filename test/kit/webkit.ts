/** WebKit (WebKitGTK): a driver, a browser with a profile of its own, and a screen, all of them ended with the browser. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser, LaunchOptions } from './browser.ts';
import { CAPABILITIES, cannot } from './capabilities.ts';
import { killWithDescendants } from './processes.ts';
import { startVirtualDisplay } from './virtual-display.ts';
import { startWebKitSession } from './webkit-session.ts';
import { createWebKitTab } from './webkit-tab.ts';

const BROWSER = resolve(import.meta.dirname, 'webkit-browser.py');

export async function launchWebKit(
  programs: { readonly driver: string; readonly display: string; readonly python: string },
  options: LaunchOptions & { readonly waitAtMostMs: number },
): Promise<Browser> {
  const display = await startVirtualDisplay(programs.display);
  const home = await mkdtemp(join(tmpdir(), 'flagent-webkit-'));
  const session = await startWebKitSession({
    driver: programs.driver,
    browser: programs.python,
    args: [
      BROWSER,
      `--profile=${options.profileDir ?? join(home, 'profile')}`,
      `--features=${features(options).join(',')}`,
      `--workers=${options.workersApart ? 'apart' : 'with-tabs'}`,
      ...(options.args ?? []),
    ],
    env: environment(display.name, home),
  });
  return {
    name: 'webkit',
    version: session.version,
    can: CAPABILITIES.webkit,
    async newTab(url) {
      const tab = await createWebKitTab(session, options.waitAtMostMs);
      if (url !== undefined) await tab.goto(url);
      return tab;
    },
    async killSharedWorkers() {
      if (!options.workersApart) throw new Error('Launch WebKit with `workersApart` to kill its workers.');
      // `webkit-browser.py` knows this address.
      const script = `location.href = 'about:kill-workers'`;
      await session.inWindow(session.keeper, 'POST', '/execute/sync', { script, args: [] });
    },
    evaluateInSharedWorker: () => cannot('webkit', 'evaluateInSharedWorker'),
    async crash() {
      killWithDescendants(session.driverPid);
    },
    async close() {
      await session.end();
      await display.stop();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Safari has the Storage API, WebKitGTK hides it. With the back/forward cache each fourth tab ends the process of an earlier one, and its workers. */
function features({ backForwardCache }: LaunchOptions): readonly string[] {
  return ['+StorageAPI', '+StorageAPIEstimate', `${backForwardCache ? '+' : '-'}UsesBackForwardCache`];
}

function environment(display: string, home: string): Record<string, string | undefined> {
  return {
    ...process.env,
    DISPLAY: display,
    HOME: home,
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    LIBGL_ALWAYS_SOFTWARE: '1',
    NO_AT_BRIDGE: '1',
    GSETTINGS_BACKEND: 'memory',
  };
}
