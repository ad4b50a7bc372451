/** The page client outside a page: its hub lives beside it, in memory. For what needs the client and no browser. */
import { createFlagClient, type FlagClient, type FlagClientOptions } from '../../src/index.ts';

/** Needs a server to get its flags from. */
export function createClientInNode(options: Omit<FlagClientOptions, 'host'>): FlagClient {
  // All that it asks of a page is to be told of the page's life; this one never sleeps and never leaves.
  Object.assign(globalThis, { window: new EventTarget(), document: new EventTarget() });
  return createFlagClient({ ...options, host: 'tab' });
}
