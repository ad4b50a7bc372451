/** The real client in a real tab: each function runs in the page of the test site. */

import type { Flag } from '../../src/core/model.ts';
import type { FlagClient, FlagClientOptions } from '../../src/index.ts';
import type { Browser, Tab } from './browser.ts';

declare global {
  interface Window {
    /** The client that the test made in this tab. */
    flags: FlagClient;
    /** Every change its subscribers have heard, as `key@revision`. */
    heard: string[];
  }
}

export interface ClientTab extends Tab {
  /** Waits until the tab shows this revision or a later one. */
  reaches(revision: number): Promise<void>;
  /** All flags of the tab as JSON text, in order of their ids. */
  flagsJson(): Promise<string>;
}

export async function openClientTab(
  browser: Browser,
  siteUrl: string,
  options: FlagClientOptions,
): Promise<ClientTab> {
  const tab = await browser.newTab(siteUrl);
  await startClient(tab, options);
  return asClientTab(tab);
}

/** Makes the client; also after a reload. Does not wait for flags. */
export async function startClient(tab: Tab, options: FlagClientOptions): Promise<void> {
  await tab.waitFor(() => window.flagentOffline !== undefined);
  await tab.evaluate((clientOptions: FlagClientOptions) => {
    window.flags = window.flagentOffline.createFlagClient(clientOptions);
    window.heard = [];
    window.flags.subscribeAll(({ flagKey, revision }) => window.heard.push(`${flagKey}@${revision}`));
  }, options);
}

/** For a tab whose client the test makes itself. */
export function asClientTab(tab: Tab): ClientTab {
  return Object.assign(Object.create(tab) as Tab, {
    reaches: async (revision: number) => {
      await tab.waitFor((wanted: number) => (window.flags.status.revision ?? -1) >= wanted, revision);
    },
    flagsJson: () =>
      tab.evaluate(() => JSON.stringify([...window.flags.peekFlags().values()].sort((a, b) => a.id - b.id))),
  });
}

/** The same text for the flags that a test expects. */
export function flagsAsJson(flags: readonly Flag[]): string {
  return JSON.stringify([...flags].sort((a, b) => a.id - b.id));
}
