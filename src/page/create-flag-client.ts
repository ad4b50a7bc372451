/** The page client: a mirror that is read, subscriptions that hear, and a link to the hub that keeps both current. */

import { FlagError } from '../core/errors.ts';
import type { EvaluationRequest, EvaluationResult } from '../core/evaluate/evaluate.ts';
import { evaluate, isEnabledResult } from '../core/evaluate/evaluate.ts';
import type { FlagChange } from '../core/state/flag-change.ts';
import { selects } from '../core/state/selector.ts';
import type { FlagStatus } from '../core/state/status.ts';
import type { Update } from '../core/state/update.ts';
import type { Delivery } from '../hub/contract.ts';
import { createListeners } from '../system/listeners.ts';
import { createSystem } from '../system/system.ts';
import { checkOptions } from './check-options.ts';
import type { FlagClient, FlagClientOptions } from './flag-client.ts';
import { createMirror } from './mirror.ts';
import { reachHub } from './reach-hub.ts';
import { createTabStatus } from './tab-status.ts';

/**
 * Creates the flag client of this page. Throws a `FlagError` with code `invalid_option` when an option is wrong.
 *
 * @example
 * const flags = createFlagClient({ url: 'https://flags.example.com', accessToken: 'read-token' })
 * await flags.ready()
 * if (await flags.isEnabled('new_payment_flow')) showNewPaymentFlow()
 */
export function createFlagClient(givenOptions: FlagClientOptions): FlagClient {
  const options = checkOptions(givenOptions);
  const system = createSystem();
  const mirror = createMirror();
  const changes = createListeners<FlagChange>();
  const statuses = createListeners<FlagStatus>();
  const tabStatus = createTabStatus({
    system,
    mirror,
    staleAfterMs: options.staleAfterMs,
    onChange: statuses.notify,
  });
  const moments = createListeners<void>();
  let isClosed = false;
  /** After a sign-out, until somebody signs in. */
  let isForgotten = false;

  const apply = (update: Update): void => {
    isForgotten = update.kind === 'empty';
    const applied = mirror.apply(update);
    if (applied === 'gap') {
      link.catchUp();
      return;
    }
    for (const change of applied) changes.notify(change);
  };

  const link = reachHub({
    options,
    system,
    held: () => mirror.held,
    isForgotten: () => isForgotten,
    onAttached: tabStatus.attachedTo,
    onUnreachable: (reason) => {
      tabStatus.hubUnreachable(reason);
      moments.notify();
    },
    sink: {
      deliver: async ({ update, status }: Delivery) => {
        if (isClosed) return;
        // The status first, so that a subscriber that looks at it sees what belongs to the flags.
        const before = mirror.held;
        if (update !== undefined) tabStatus.receive(status, 'quietly');
        if (update !== undefined) apply(update);
        tabStatus.receive(status);
        if (before !== mirror.held || status.connection.is !== 'connecting') moments.notify();
      },
      accessToken: async (_why) => {
        const { accessToken } = options;
        return typeof accessToken === 'function' ? accessToken() : accessToken;
      },
    },
  });

  /** Settles when the condition holds at some moment; rejects after the deadline or at `close`. */
  const until = (condition: () => boolean, what: string, timeoutMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (): void => {
        if (!condition() && !isClosed) return;
        stopListening();
        stopTimer();
        if (condition()) resolve();
        else reject(new FlagError('closed', `The flag client was closed before ${what}.`));
      };
      const stopListening = moments.add(settle);
      const stopTimer = Number.isFinite(timeoutMs)
        ? system.after(timeoutMs, () => {
            stopListening();
            reject(new FlagError('timeout', `No ${what} within ${timeoutMs} ms: ${tabStatus.why()}.`));
          })
        : () => {};
      settle();
    });

  /** Reads wait for the first flags, but not for a network that has already failed: they then answer from nothing. */
  const firstFlags = (): Promise<void> => {
    if (mirror.held !== undefined || isClosed) return Promise.resolve();
    return until(
      () => mirror.held !== undefined || tabStatus.isHopeless(),
      'flags',
      options.firstReadTimeoutMs,
    ).catch(() => {});
  };

  const evaluateNow = (request: EvaluationRequest): EvaluationResult =>
    evaluate(mirror, { ...options.entity, ...request });

  return {
    ready: ({ timeoutMs = Number.POSITIVE_INFINITY } = {}) =>
      until(() => mirror.held !== undefined, 'flags', timeoutMs),
    getFlag: async (key) => {
      await firstFlags();
      return mirror.byKey(key);
    },
    peekFlag: mirror.byKey,
    peekFlags: () => mirror.flags,
    evaluate: async (request) => {
      await firstFlags();
      return evaluateNow(request);
    },
    evaluateNow,
    evaluateBatch: async ({ flagKeys, entities }) => {
      await firstFlags();
      return flagKeys.flatMap((flagKey) => entities.map((entity) => evaluateNow({ ...entity, flagKey })));
    },
    isEnabled: async (key) => {
      await firstFlags();
      return isEnabledResult(evaluateNow({ flagKey: key }));
    },
    subscribe: (selector, listener) => {
      const isSelected = selects(selector);
      return changes.add((change) => {
        if (isSelected(change)) listener(change);
      });
    },
    subscribeAll: changes.add,
    get status() {
      return tabStatus.now();
    },
    onStatus: statuses.add,
    refresh: async () => {
      isForgotten = false;
      const confirmed = await link.call((remote, tabId) => remote.refresh(tabId));
      if (confirmed === null) return;
      const hasArrived = () =>
        mirror.held?.epoch === confirmed.epoch && mirror.held.revision >= confirmed.revision;
      await until(hasArrived, 'answer of the server', options.firstReadTimeoutMs);
    },
    forget: async () => {
      await link.call((remote, tabId) => remote.forget(tabId));
      apply({ kind: 'empty' });
      tabStatus.receive({
        ...tabStatus.hub(),
        source: 'none',
        epoch: undefined,
        revision: undefined,
        confirmedAtMs: undefined,
      });
    },
    debug: () => link.call((remote, tabId) => remote.debug(tabId)),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      moments.notify();
      tabStatus.closed();
      await link.close();
    },
  };
}
