/** Flag changes and evaluations by the server, over one WebSocket, without hub and storage: for a page, a worker or Node. */
import { FlagError } from '../core/errors.ts';
import type { EvaluationResult } from '../core/evaluate/evaluation.ts';
import type { FlagKey } from '../core/flag-types.ts';
import type { Flag } from '../core/model.ts';
import type { EntityQuestion } from '../core/protocol/websocket-client-frame.ts';
import type { FlagChange } from '../core/state/flag-change.ts';
import type { FlagSelector } from '../core/state/selector.ts';
import type { ConnectionStatus } from '../core/state/status.ts';
import { callListener, checkListener } from '../system/listeners.ts';
import { createSystem } from '../system/system.ts';
import { createWebSocketTransport } from '../transport/websocket.ts';
import { checkSelector } from './check-selector.ts';
import { createEvaluations, type Evaluations } from './evaluations.ts';
import { createFlagFeed, type FlagFeed } from './flag-feed.ts';
import type { FlagChangeListener } from './flagent-sse-client.ts';
import { findSurroundings, watchSurroundings } from './surroundings.ts';
import {
  checkWebSocketClientOptions,
  type FlagentWebSocketClientOptions,
} from './websocket-client-options.ts';

/** Hears one flag: as it is now, `undefined` when it is gone, and the change that made it so. */
export type FlagListener = (flag: Flag | undefined, change: FlagChange) => void;

/** Hears the outcome of an evaluation: a result, or the error that the promise rejects with. */
export type EvaluationListener<K extends string = string> = (
  result: EvaluationResult<K> | undefined,
  error?: FlagError,
) => void;

/** Whom to evaluate which flag for. */
export interface EvaluationQuestion<K extends FlagKey = FlagKey> extends EntityQuestion {
  readonly flagKey: K;
}

/**
 * Connects with the first subscription or evaluation, and closes when nothing needs the socket any more. Subscriptions hear what those
 * of `FlagentSSEClient` hear, and are kept across reconnects in the same way.
 *
 * Throws a `FlagError` with code `invalid_option` when an option is wrong.
 *
 * @example
 * const client = new FlagentWebSocketClient({ url: 'https://flags.example.com', apiKey: 'read-token' })
 * const stop = client.subscribe('new_payment_flow', (flag) => console.log(flag?.enabled))
 * const { variantKey } = await client.evaluate({ flagKey: 'new_payment_flow', entityID: 'user123' })
 */
export class FlagentWebSocketClient {
  readonly #feed: FlagFeed;
  readonly #evaluations: Evaluations;
  readonly #closing = new AbortController();

  constructor(options: FlagentWebSocketClientOptions) {
    const checked = checkWebSocketClientOptions(options);
    const { url, address, accessToken, connection, fetch, WebSocket } = checked;
    const system = createSystem();
    this.#evaluations = createEvaluations({
      system,
      timeoutMs: checked.evaluateTimeoutMs,
      describeConnection: () => describe(this.#feed.status),
      keepOpen: () => this.#feed.keepOpen(),
    });
    const transport = createWebSocketTransport({
      WebSocket,
      fetch,
      system,
      beside: this.#evaluations,
      ...(address !== undefined && { address }),
    });
    this.#feed = createFlagFeed({ url, accessToken, policy: connection, transport, system });
    this.#feed.onStatus((status) => {
      if (status.is === 'stopped')
        this.#evaluations.fail(new FlagError('unreachable', `${describe(status)}.`));
    });
    const surroundings = findSurroundings();
    if (surroundings !== undefined) watchSurroundings(surroundings, this.#closing.signal, this.#feed);
  }

  /**
   * Hears of one flag, of the selected ones, or of every flag. The returned function stops it at once. Throws `invalid_option` and, after
   * `close`, `closed`.
   */
  subscribe(flagKey: FlagKey, listener: FlagListener): () => void;
  subscribe(selector: Exclude<FlagSelector, string>, listener: FlagChangeListener): () => void;
  subscribe(listener: FlagChangeListener): () => void;
  subscribe(
    first: FlagSelector | FlagChangeListener,
    second?: FlagListener | FlagChangeListener,
  ): () => void {
    if (typeof first === 'function') return this.subscribeAll(first);
    checkSelector(first);
    checkListener(second);
    if (typeof first !== 'string') return this.#feed.subscribe(first, second as FlagChangeListener);
    const listener = second as FlagListener;
    return this.#feed.subscribe(first, (change) => listener(change.flag, change));
  }

  /** Hears of every flag that the token may see. */
  subscribeAll(listener: FlagChangeListener): () => void {
    return this.#feed.subscribe(undefined, listener);
  }

  /**
   * What the server decides. A connection that drops is waited for and asked once more; the promise rejects with `unreachable` when that one
   * drops too or the client has given up, with `timeout` when the time is over, with what the server complains about, and with `closed`.
   * With a callback the rejection need not be handled.
   */
  evaluate<K extends FlagKey>(
    question: EvaluationQuestion<K>,
    callback?: EvaluationListener<K>,
  ): Promise<EvaluationResult<K>> {
    if (callback !== undefined) checkListener(callback);
    const answer = this.#ask(question) as Promise<EvaluationResult<K>>;
    if (callback !== undefined) {
      answer.then(
        (result) => callListener((heard) => callback(heard), result),
        (error: FlagError) => callListener((heard) => callback(undefined, heard), error),
      );
    }
    return answer;
  }

  async #ask(question: EvaluationQuestion): Promise<EvaluationResult> {
    if (this.#closing.signal.aborted) throw closed();
    const { flagKey, entityID, entityType, entityContext } = question;
    if (typeof flagKey !== 'string' || flagKey === '') {
      throw new FlagError('invalid_option', 'evaluate needs { flagKey }, the key of a flag.');
    }
    return this.#evaluations.ask({
      flagKey,
      ...(entityID !== undefined && { entityID }),
      ...(entityType !== undefined && { entityType }),
      ...(entityContext !== undefined && { entityContext }),
    });
  }

  /** `paused` without subscription and evaluation; `stopped`, with the reason, when it has given up. A new one tries again. */
  get status(): ConnectionStatus {
    return this.#feed.status;
  }

  /** Fires when `status` has become another value. */
  onStatus(listener: (status: ConnectionStatus) => void): () => void {
    return this.#feed.onStatus(listener);
  }

  /** Ends the socket, every subscription and every evaluation, for good. */
  close(): void {
    this.#closing.abort();
    this.#evaluations.fail(closed());
    this.#feed.close();
  }
}

function describe(status: ConnectionStatus): string {
  if (status.is === 'paused') return `paused (${status.reasons.join(', ')})`;
  return 'reason' in status ? `${status.is} (${status.reason})` : status.is;
}

function closed(): FlagError {
  return new FlagError('closed', 'The client has been closed. Create another one.');
}
