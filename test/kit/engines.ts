/** Launches a real browser by the name of its engine. One row per engine. */
import type { Browser, LaunchOptions } from './browser.ts';
import { launchChromium } from './chromium.ts';
import { type EngineName, type EnginePrograms, findOrInstallEngine } from './find-engine.ts';
import { launchFirefox } from './firefox.ts';
import { launchWebKit } from './webkit.ts';

export type { Browser, LaunchOptions, Tab } from './browser.ts';
export type { EngineName } from './find-engine.ts';

type Launch<Programs> = (
  programs: Programs,
  options: LaunchOptions & { readonly waitAtMostMs: number },
) => Promise<Browser>;

const LAUNCHERS: { readonly [Name in EngineName]: Launch<EnginePrograms<Name>> } = {
  chromium: launchChromium,
  firefox: launchFirefox,
  webkit: launchWebKit,
};

const WAIT_AT_MOST_MS = 15_000;

export function launchBrowser<Name extends EngineName>(
  name: Name,
  options: LaunchOptions = {},
): Promise<Browser> {
  const launch: Launch<EnginePrograms<Name>> = LAUNCHERS[name];
  return launch(findOrInstallEngine(name), { waitAtMostMs: WAIT_AT_MOST_MS, ...options });
}
