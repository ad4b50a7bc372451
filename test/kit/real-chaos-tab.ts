/** A real tab that writes down every state its client shows, and itself notices a step back. */
import type { FlagClientOptions } from '../../src/index.ts';
import type { Tab } from './browser.ts';

declare global {
  interface Window {
    chaos: {
      /** States shown since the last look. */
      readonly seen: SeenState[];
      /** Promises broken since the last look, in words. */
      readonly broken: string[];
      last: SeenState | undefined;
    };
  }
}

export interface SeenState {
  readonly epoch: string;
  readonly revision: number;
  /** The flags, as far as the edits of a schedule change them. */
  readonly digest: string;
}

/** Makes the client where the page has none: a page out of the back/forward cache still has its own. */
export async function ensureClient(tab: Tab, options: FlagClientOptions): Promise<void> {
  await tab.waitFor(() => window.flagentOffline !== undefined);
  await tab.evaluate((clientOptions: FlagClientOptions) => {
    if (window.flags !== undefined) return;
    const flags = window.flagentOffline.createFlagClient(clientOptions);
    const note = (): void => {
      const { epoch, revision } = flags.status;
      if (epoch === undefined || revision === undefined) return;
      const { chaos } = window;
      const digest = [...flags.peekFlags().values()]
        .sort((a, b) => a.id - b.id)
        .map(({ id, description }) => `${id}=${description}`)
        .join(' ');
      const { last } = chaos;
      if (last?.epoch === epoch && last.revision === revision && last.digest === digest) return;
      if (last?.epoch === epoch && last.revision > revision) {
        chaos.broken.push(`went back from revision ${last.revision} to ${revision}`);
      }
      chaos.last = { epoch, revision, digest };
      chaos.seen.push(chaos.last);
    };
    window.chaos = { seen: [], broken: [], last: undefined };
    window.flags = flags;
    flags.subscribeAll(note);
    flags.onStatus(note);
  }, options);
}

export interface TabLook {
  readonly seen: readonly SeenState[];
  readonly broken: readonly string[];
  /** What it shows now. */
  readonly now: SeenState | undefined;
  /** The rest of its status as text, for the message of a failure. */
  readonly status: string;
  readonly tabs: number;
}

/** What the tab has noted since the last look; nothing for a page without a client. */
export function lookAt(tab: Tab): Promise<TabLook | undefined> {
  return tab.evaluate(() => {
    if (window.chaos === undefined) return undefined;
    const { status } = window.flags;
    const { chaos } = window;
    return {
      seen: chaos.seen.splice(0),
      broken: chaos.broken.splice(0),
      now: status.revision === undefined ? undefined : chaos.last,
      status: JSON.stringify(status),
      tabs: status.tabs,
    };
  });
}
