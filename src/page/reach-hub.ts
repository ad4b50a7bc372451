/**
 * The tab's end of the way to the hub: starts or joins the SharedWorker, attaches, and attaches again when the worker has died.
 * Every call is raced with a deadline and with the worker's death, because a call to a dead worker never settles.
 */
import { expose, type Remote, releaseProxy, transfer, wrap } from 'comlink';
import { FlagError } from '../core/errors.ts';
import type { EventId } from '../core/model.ts';
import { HUB_PROTOCOL } from '../core/protocol/hub-protocol.ts';
import { hubLockName, tabLockName } from '../core/state/scope.ts';
import type { Answer, Attached, AttachRequest, HubRemote, TabSink } from '../hub/contract.ts';
import { withDeadline } from '../system/deadline.ts';
import { findLocks, holdLock, whenLockIsFree } from '../system/locks.ts';
import type { System } from '../system/system.ts';
import type { CheckedOptions } from './check-options.ts';
import { workerStarters } from './start-worker.ts';

export interface HubLink {
  /** Calls the hub; rejects with `timeout`, `closed` or what the hub answers. */
  call<T>(use: (remote: Remote<HubRemote>, tabId: string) => Promise<Answer<T>>): Promise<T>;
  /** Tells the hub what this tab holds; it sends what is newer. */
  catchUp(): void;
  close(): Promise<void>;
}

export interface HubLinkOptions {
  readonly options: CheckedOptions;
  readonly system: System;
  readonly sink: TabSink;
  readonly held: () => EventId | undefined;
  /** No hub can be reached now; another attempt follows. */
  readonly onUnreachable: (reason: string) => void;
}

/** A worker that has not answered by then is not there: blocked, not found, or hanging. */
const ATTACH_DEADLINE_MS = 5_000;
const CALL_DEADLINE_MS = 15_000;
/** Between attempts to start a worker that cannot be started. */
const RESTART_DELAY_MS = 2_000;

interface Attachment {
  readonly remote: Remote<HubRemote>;
  readonly death: AbortController;
  end(): void;
}

export function reachHub({ options, system, sink, held, onUnreachable }: HubLinkOptions): HubLink {
  const { scope } = options;
  const tabId = system.newId();
  const locks = findLocks();
  const closed = new AbortController();
  let attachment: Attachment | undefined;
  let attaching: Promise<Attachment> | undefined;
  let isSuspended = false;

  const attach = async (): Promise<Attachment> => {
    let failure: unknown;
    for (const start of workerStarters(options.worker)) {
      try {
        attachment = await attachTo(start());
        return attachment;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  };

  const attachTo = async (worker: SharedWorker): Promise<Attachment> => {
    const remote = wrap<HubRemote>(worker.port);
    const channel = new MessageChannel();
    expose(sink, channel.port1);
    const death = new AbortController();
    // Fires when the script cannot be loaded; later, in some browsers, for any uncaught error, which is not the end.
    let isLoadFailure = false;
    const onError = (): void => {
      isLoadFailure = true;
      death.abort();
    };
    worker.addEventListener('error', onError);
    let stopWatching = (): void => {};
    const end = (): void => {
      stopWatching();
      death.abort();
      remote[releaseProxy]();
      channel.port1.close();
      worker.port.close();
    };
    const request: AttachRequest = {
      protocol: HUB_PROTOCOL,
      tabId,
      url: options.url,
      namespace: options.namespace,
      filter: options.filter,
      policy: options.connection ?? {},
      held: held(),
    };
    try {
      const asked: Promise<Answer<Attached>> = remote.attach(
        request,
        transfer(channel.port2, [channel.port2]),
      );
      const { bootId } = unwrap(
        await withDeadline(asked, {
          system,
          afterMs: ATTACH_DEADLINE_MS,
          what: 'The shared worker',
          death: death.signal,
        }),
      );
      worker.removeEventListener('error', onError);
      stopWatching = watchHub(bootId, end);
      return { remote, death, end };
    } catch (error) {
      end();
      throw isLoadFailure ? loadFailure() : error;
    }
  };

  /** The hub holds a lock for as long as it lives; when the lock is free, the worker is gone and a new one is started at once. */
  const watchHub = (bootId: string, end: () => void): (() => void) =>
    whenLockIsFree(locks, hubLockName(scope, bootId), () => {
      end();
      attachment = undefined;
      if (!closed.signal.aborted && !isSuspended) void ensureAttached().catch(() => {});
    });

  const ensureAttached = (): Promise<Attachment> => {
    if (attachment !== undefined) return Promise.resolve(attachment);
    attaching ??= attach()
      .catch((error: unknown) => {
        tryAgainLater(error);
        throw error;
      })
      .finally(() => {
        attaching = undefined;
      });
    return attaching;
  };

  const tryAgainLater = (error: unknown): void => {
    if (closed.signal.aborted) return;
    onUnreachable(error instanceof Error ? error.message : String(error));
    system.after(RESTART_DELAY_MS, () => {
      if (!closed.signal.aborted) void ensureAttached().catch(() => {});
    });
  };

  const callHub = async <T>(use: (remote: Remote<HubRemote>) => Promise<T>): Promise<T> => {
    if (closed.signal.aborted)
      throw new FlagError('closed', 'This flag client has been closed. Create a new one.');
    const { remote, death } = await ensureAttached();
    return withDeadline(use(remote), {
      system,
      afterMs: CALL_DEADLINE_MS,
      what: 'The hub',
      death: death.signal,
    });
  };

  /** Fire and forget: a hub that cannot hear it will be told what matters when the tab attaches again. */
  const tell = (use: (remote: Remote<HubRemote>) => Promise<void>): void => {
    if (attachment !== undefined) use(attachment.remote).catch(() => {});
  };

  const listen = (target: EventTarget, type: string, listener: (event: Event) => void): void =>
    target.addEventListener(type, listener, { signal: closed.signal });
  listen(window, 'pagehide', () => {
    isSuspended = true;
    tell((remote) => remote.suspend(tabId));
  });
  listen(window, 'pageshow', (event) => {
    if (!(event as PageTransitionEvent).persisted) return;
    isSuspended = false;
    // The worker may have died meanwhile, and the lock that tells of it may have been taken away: nothing old is trusted.
    attachment?.end();
    attachment = undefined;
    attachWithLock();
  });
  listen(window, 'online', () => tell((remote) => remote.wake(tabId, 'online')));
  listen(document, 'visibilitychange', () => {
    if (document.visibilityState === 'visible') tell((remote) => remote.wake(tabId, 'visible'));
  });

  /** Taken before the tab is attached, so that the hub can never wait for a lock that is not there yet. */
  let tabLock: { release(): void } | undefined;
  const takeTabLock = (): Promise<void> =>
    new Promise((resolve) => {
      if (tabLock !== undefined) {
        resolve();
        return;
      }
      tabLock = holdLock(locks, tabLockName(scope, tabId), {
        onHeld: resolve,
        // WebKit takes locks away from a page in the back/forward cache.
        onLost: () => {
          tabLock = undefined;
          resolve();
        },
      });
    });

  const catchUp = (): void => {
    void ensureAttached()
      .then(({ remote }) => remote.resume(tabId, held()))
      .catch(() => {});
  };

  const attachWithLock = (): void => {
    void takeTabLock()
      .then(ensureAttached)
      .catch(() => {});
  };

  attachWithLock();

  return {
    call: async (use) => unwrap(await callHub((remote) => use(remote, tabId))),
    catchUp,
    close: async () => {
      closed.abort();
      await attachment?.remote.detach(tabId).catch(() => {});
      attachment?.end();
      tabLock?.release();
    },
  };
}

function loadFailure(): FlagError {
  return new FlagError(
    'environment',
    'The script of the shared worker could not be loaded. It must be served from this origin and allowed by the policy (worker-src).',
  );
}

function unwrap<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw new FlagError(answer.code, answer.message);
}
