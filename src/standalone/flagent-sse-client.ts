/** Flag changes as they happen, over one server-sent event stream, without hub, storage or evaluation: for a page, a worker or Node. */
import type { FlagChange } from '../core/state/flag-change.ts';
import type { FlagSelector } from '../core/state/selector.ts';
import type { ConnectionStatus } from '../core/state/status.ts';
import { createSystem } from '../system/system.ts';
import { createSseTransport } from '../transport/sse.ts';
import { checkSelector } from './check-selector.ts';
import { createFlagFeed, type FlagFeed } from './flag-feed.ts';
import { checkSSEClientOptions, type FlagentSSEClientOptions } from './sse-client-options.ts';
import { findSurroundings, watchSurroundings } from './surroundings.ts';

export type FlagChangeListener = (change: FlagChange) => void;

/**
 * Connects with the first subscription and closes when the last one has stopped. Each subscription hears the flags that it selects
 * first, with `previous` and `type` undefined, and then every change of them: across cuts, server restarts and other subscriptions
 * that come and go, none is lost and none comes twice. Edits that arrive together are told as one change per flag. A flag that leaves
 * what is selected, by losing its tag, is told once more.
 *
 * Throws a `FlagError` with code `invalid_option` when an option is wrong.
 *
 * @example
 * const client = new FlagentSSEClient({ url: 'https://flags.example.com', apiKey: 'read-token' })
 * const stop = client.subscribe({ tags: ['checkout'] }, ({ flagKey, flag }) => console.log(flagKey, flag?.enabled))
 */
export class FlagentSSEClient {
  readonly #feed: FlagFeed;
  readonly #closing = new AbortController();

  constructor(options: FlagentSSEClientOptions) {
    const { url, accessToken, connection, fetch } = checkSSEClientOptions(options);
    const system = createSystem();
    const transport = createSseTransport({ fetch, system });
    this.#feed = createFlagFeed({ url, accessToken, policy: connection, transport, system });
    const surroundings = findSurroundings();
    if (surroundings !== undefined) watchSurroundings(surroundings, this.#closing.signal, this.#feed);
  }

  /** Hears of every flag, or of the selected ones. The returned function stops it at once. Throws `invalid_option` and, after `close`, `closed`. */
  subscribe(listener: FlagChangeListener): () => void;
  subscribe(selector: FlagSelector, listener: FlagChangeListener): () => void;
  subscribe(first: FlagSelector | FlagChangeListener, second?: FlagChangeListener): () => void {
    if (typeof first === 'function') return this.subscribeAll(first);
    checkSelector(first);
    return this.#feed.subscribe(first, second as FlagChangeListener);
  }

  /** Hears of every flag that the token may see. */
  subscribeAll(listener: FlagChangeListener): () => void {
    return this.#feed.subscribe(undefined, listener);
  }

  /** `paused` without a subscription; `stopped`, with the reason, when it has given up. A new subscription tries again. */
  get status(): ConnectionStatus {
    return this.#feed.status;
  }

  /** Fires when `status` has become another value. */
  onStatus(listener: (status: ConnectionStatus) => void): () => void {
    return this.#feed.onStatus(listener);
  }

  /** Ends the stream and every subscription, for good. */
  close(): void {
    this.#closing.abort();
    this.#feed.close();
  }
}
