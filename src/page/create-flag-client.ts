/** The page client: reads, subscriptions and waiting. What reaches the hub and keeps the flags current is loaded beside it. */
import { FlagError } from '../core/errors.ts';
import { evaluate, isEnabledResult } from '../core/evaluate/evaluate.ts';
import type { EvaluationRequest, EvaluationResult } from '../core/evaluate/evaluation.ts';
import type { FlagChange } from '../core/state/flag-change.ts';
import { selects } from '../core/state/selector.ts';
import type { ConnectionStatus, FlagStatus } from '../core/state/status.ts';
import { checkListener, createListeners } from '../system/listeners.ts';
import { startEarly } from './built-in-worker.ts';
import { checkOptions } from './check-options.ts';
import { firstStatus } from './first-status.ts';
import type { FlagClient, FlagClientOptions } from './flag-client.ts';
import type { TabLink } from './link-tab.ts';
import { loadPatiently } from './load-patiently.ts';
import { createShownFlags } from './shown-flags.ts';

/** Browsers take a longer timer for none at all. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Creates the flag client of this page. Throws a `FlagError` with code `invalid_option` when an option is wrong.
 *
 * @example
 * const flags = createFlagClient({ url: 'https://flags.example.com', accessToken: 'read-token' })
 * await flags.ready()
 * if (await flags.isEnabled('new_payment_flow')) showNewPaymentFlow()
 */
export function createFlagClient(givenOptions: FlagClientOptions): FlagClient {
  checkOptions(givenOptions);
  // A copy: some are read later, and may not change on the way.
  const options = { ...givenOptions };
  const { entity = {}, firstReadTimeoutMs = 5_000 } = options;
  const shown = createShownFlags();
  const changes = createListeners<FlagChange>();
  const statuses = createListeners<FlagStatus>();
  const moments = createListeners<void>();
  const earlyWorker = startEarly(options);
  let isClosed = false;
  let link: TabLink | undefined;
  /** As long as there is no link. */
  let connection: ConnectionStatus = { is: 'connecting', attempt: 1 };

  const now = (): FlagStatus => link?.status() ?? firstStatus(connection);

  const openLink = async (): Promise<void> => {
    const loaded = await loadPatiently(
      () => import('./link-tab.ts'),
      () => !isClosed,
      (reason) => {
        connection = { is: 'stopped', reason };
        statuses.notify(now());
        moments.notify();
      },
    );
    if (isClosed) earlyWorker?.port.close();
    else link = loaded?.linkTab({ options, shown, changes, statuses, moments, until, earlyWorker });
    moments.notify();
  };

  /** Settles when the condition holds at some moment; rejects after the deadline or at `close`. */
  const until = (
    condition: () => unknown,
    what: string,
    timeoutMs: number = firstReadTimeoutMs,
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (failure?: FlagError): void => {
        if (condition()) resolve();
        else if (failure) reject(failure);
        else if (isClosed) reject(new FlagError('closed', `No ${what}: the flag client was closed.`));
        else return;
        stopListening();
        clearTimeout(timer);
      };
      const tooLate = (): void =>
        settle(new FlagError('timeout', `No ${what} within ${timeoutMs} ms: ${why(now())}.`));
      const stopListening = moments.add(() => settle());
      const timer = timeoutMs <= LONGEST_TIMER_MS ? setTimeout(tooLate, timeoutMs) : undefined;
      settle();
    });

  const linked = async (): Promise<TabLink> => {
    await until(() => link, 'code to reach the hub');
    return link as TabLink;
  };

  /** Reads wait for the first flags, but not for a network that has already failed: they then answer from nothing. */
  const afterFirstFlags =
    <Asked, Answer>(read: (asked: Asked) => Answer) =>
    async (asked: Asked): Promise<Answer> => {
      const isDecided = () => shown.held || isClosed || /waiting|polling|stopped/.test(now().connection.is);
      await until(isDecided, 'flags').catch(() => {});
      return read(asked);
    };

  const evaluateNow = <K extends string>({
    flagKey,
    flagID,
    enableDebug,
    entityID = entity.entityID,
    entityType = entity.entityType,
    entityContext = entity.entityContext,
  }: EvaluationRequest<K>) =>
    // Named one by one: a spread costs more than the evaluation of a simple flag.
    evaluate(shown, {
      flagKey,
      flagID,
      enableDebug,
      entityID,
      entityType,
      entityContext,
    } as EvaluationRequest) as EvaluationResult<K>;

  void openLink();

  return {
    ready: ({ timeoutMs = Number.POSITIVE_INFINITY } = {}) => until(() => shown.held, 'flags', timeoutMs),
    getFlag: afterFirstFlags(shown.byKey),
    peekFlag: shown.byKey,
    peekFlags: () => shown.flags,
    evaluate: afterFirstFlags(evaluateNow),
    evaluateNow,
    evaluateBatch: afterFirstFlags(({ flagKeys, entities, enableDebug = false }) =>
      flagKeys.flatMap((flagKey) => entities.map((one) => evaluateNow({ ...one, flagKey, enableDebug }))),
    ),
    isEnabled: afterFirstFlags((flagKey) => isEnabledResult(evaluateNow({ flagKey }))),
    subscribe: (selector, listener) => {
      const isSelected = selects(selector);
      checkListener(listener);
      return changes.add((change) => {
        if (isSelected(change)) listener(change);
      });
    },
    subscribeAll: changes.add,
    get status() {
      return now();
    },
    onStatus: statuses.add,
    refresh: async () => (await linked()).refresh(),
    forget: async () => (await linked()).forget(),
    debug: async () => (await linked()).debug(),
    close: async () => {
      isClosed = true;
      connection = { is: 'stopped', reason: 'closed' };
      moments.notify();
      await link?.close();
    },
  };
}

function why({ connection }: FlagStatus): string {
  return 'reason' in connection ? `${connection.is}, ${connection.reason}` : connection.is;
}
