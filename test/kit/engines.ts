/** Launches a real browser by the name of its engine. One row per engine. */
import type { Browser, LaunchOptions } from './browser.ts';
import { launchChromium } from './chromium.ts';
import { type EngineName, findOrInstallEngine } from './find-engine.ts';

export type { Browser, LaunchOptions, Tab } from './browser.ts';

const LAUNCHERS: Record<EngineName, (program: string, options: LaunchOptions) => Promise<Browser>> = {
  chromium: launchChromium,
};

export function launchBrowser(name: EngineName, options: LaunchOptions = {}): Promise<Browser> {
  return LAUNCHERS[name](findOrInstallEngine(name), options);
}
