/**
 * Registers a service worker and tells the story of its versions, for one tab among many.
 *
 *   registering → installing → activating → controlling ──new version──► installing → waiting
 *                                   ▲                                                    │ activateUpdate() in any tab,
 *                                   └────────────────────────────────────────────────────┘ then onTakeover in every tab
 *
 * The versions are watched on the registration itself: workbox-window stops listening after the first update that another
 * tab brings about, and a tab can live for weeks. It is loaded on demand: pages that only read flags never fetch it.
 */
import { FlagError } from '../core/errors.ts';
import { withDeadline } from '../system/deadline.ts';
import { createSystem } from '../system/system.ts';
import {
  findServiceWorkers,
  isSameStatus,
  registrationFailed,
  type ServiceWorkerStatus,
  statusOf,
} from './service-worker-status.ts';

export interface RegisterServiceWorkerOptions {
  /** The addresses it answers for; default: its own directory. */
  readonly scope?: string;
  /** Default `classic`. */
  readonly type?: 'classic' | 'module';
  /** `load` (the default) leaves the network to the first paint; `now` when the service worker is part of it. */
  readonly when?: 'load' | 'now';
  /**
   * Another version has taken over from the one this page was using. Usually `() => location.reload()`, or a question to the user.
   * Called at most once in the life of a page, so a reload cannot become a loop; never on the first install.
   */
  readonly onTakeover?: () => void;
  /** How long a new version may take to become active, and the server to answer an update check. Milliseconds, default 10 000. */
  readonly deadlineMs?: number;
}

export interface ServiceWorkerHandle {
  readonly status: ServiceWorkerStatus;
  /** Fires when `status` has become another value. */
  onStatus(listener: (status: ServiceWorkerStatus) => void): () => void;
  /**
   * Lets the waiting version take over all tabs. The script must use `followUpdates`, or listen for `{ type: 'SKIP_WAITING' }`.
   * `timed-out`: it did not become active before the deadline; it may yet, and then `onTakeover` is called.
   */
  activateUpdate(): Promise<'activated' | 'nothing-waiting' | 'timed-out'>;
  /** Asks the server for a new version now. Browsers ask at navigations only, which a long-lived tab does not have. */
  checkForUpdate(): Promise<'found' | 'up-to-date' | 'unreachable' | 'unsupported'>;
  /** The service worker goes when its last tab has closed. False when there was none. */
  unregister(): Promise<boolean>;
  /** Stops listening; the service worker stays. */
  close(): void;
}

/** Never throws for a browser or an origin without service workers: `status` says why. Wrong options throw `invalid_option`. */
export function registerServiceWorker(
  url: string | URL,
  options: RegisterServiceWorkerOptions = {},
): ServiceWorkerHandle {
  const script = readScriptUrl(url, globalThis.location?.href);
  const deadlineMs = readDeadline(options.deadlineMs);
  const system = createSystem();
  const closing = new AbortController();
  const { signal } = closing;
  const listeners = new Set<(status: ServiceWorkerStatus) => void>();
  const found = findServiceWorkers(globalThis);
  const container = 'is' in found ? undefined : found;
  let status: ServiceWorkerStatus = 'is' in found ? found : { is: 'registering' };
  const registering = container === undefined ? Promise.resolve(undefined) : register(container);

  function become(next: ServiceWorkerStatus): void {
    if (signal.aborted || isSameStatus(status, next)) return;
    status = next;
    for (const listener of listeners) notify(listener, next);
  }

  async function register(workers: ServiceWorkerContainer): Promise<ServiceWorkerRegistration | undefined> {
    if (options.onTakeover !== undefined) {
      const { onTakeover } = options;
      const ready = (worker: ServiceWorker): Promise<unknown> =>
        withDeadline(activated(worker), { system, afterMs: deadlineMs, what: 'The new service worker' });
      // Too late is better than never: an application that reloads then has the new version all the same.
      watchTakeover(
        workers,
        (worker) =>
          void ready(worker).then(
            () => onTakeover(),
            () => onTakeover(),
          ),
        signal,
      );
    }
    const { scope, type, when = 'load' } = options;
    try {
      const { Workbox } = await import('workbox-window');
      const workbox = new Workbox(script, {
        ...(scope !== undefined && { scope }),
        ...(type !== undefined && { type }),
      });
      const registration = await workbox.register({ immediate: when === 'now' });
      if (registration === undefined) return undefined;
      const refresh = (): void => {
        if (status.is !== 'unregistered') become(statusOf(registration, workers.controller));
      };
      watchVersions(workers, registration, refresh, signal);
      refresh();
      return registration;
    } catch (cause) {
      become({ is: 'failed', error: registrationFailed(script, cause) });
      return undefined;
    }
  }

  async function activateUpdate(): Promise<'activated' | 'nothing-waiting' | 'timed-out'> {
    const waiting = (await registering)?.waiting ?? null;
    if (waiting === null) return 'nothing-waiting';
    const outcome = activated(waiting);
    // No answer is waited for: a script that does not know the message gives none. The change of state is the proof.
    waiting.postMessage({ type: 'SKIP_WAITING' });
    return withDeadline(outcome, { system, afterMs: deadlineMs, what: 'The new service worker' }).catch(
      () => 'timed-out' as const,
    );
  }

  async function checkForUpdate(): Promise<'found' | 'up-to-date' | 'unreachable' | 'unsupported'> {
    const registration = await registering;
    if (registration === undefined) return status.is === 'failed' ? 'unreachable' : 'unsupported';
    try {
      const asked = withDeadline(registration.update(), { system, afterMs: deadlineMs, what: script });
      await asked;
      return (registration.installing ?? registration.waiting) ? 'found' : 'up-to-date';
    } catch {
      return 'unreachable';
    }
  }

  async function unregister(): Promise<boolean> {
    const isGone = (await (await registering)?.unregister()) ?? false;
    if (isGone) become({ is: 'unregistered' });
    return isGone;
  }

  return {
    get status() {
      return status;
    },
    onStatus(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    activateUpdate,
    checkForUpdate,
    unregister,
    close: () => closing.abort(),
  };
}

/** Tells once, with the new controller; in WebKit a page that reloads before that one is activated never hears that it is. */
function watchTakeover(
  workers: ServiceWorkerContainer,
  onTakeover: (controller: ServiceWorker) => void,
  signal: AbortSignal,
): void {
  let previous = workers.controller;
  let isTold = false;
  const look = (): void => {
    const { controller } = workers;
    const isTakeover = previous !== null && controller !== null && previous !== controller;
    previous = controller;
    if (!isTakeover || isTold) return;
    isTold = true;
    onTakeover(controller);
  };
  workers.addEventListener('controllerchange', look, { signal });
}

/** Calls `refresh` whenever any version, now or later, may have moved. */
function watchVersions(
  workers: ServiceWorkerContainer,
  registration: ServiceWorkerRegistration,
  refresh: () => void,
  signal: AbortSignal,
): void {
  const follow = (worker: ServiceWorker | null): void =>
    worker?.addEventListener('statechange', refresh, { signal });
  follow(registration.installing);
  follow(registration.waiting);
  follow(registration.active);
  const followNew = (): void => {
    follow(registration.installing);
    refresh();
  };
  registration.addEventListener('updatefound', followNew, { signal });
  workers.addEventListener('controllerchange', refresh, { signal });
}

/** Settles when this version is active, or has been replaced by a still newer one. */
function activated(worker: ServiceWorker): Promise<'activated' | 'nothing-waiting'> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (worker.state === 'activated') resolve('activated');
      if (worker.state === 'redundant') resolve('nothing-waiting');
    };
    worker.addEventListener('statechange', look);
    look();
  });
}

/** A listener that throws is reported like any uncaught error and stops nobody else. */
function notify<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Without a page (rendering on a server) there is nothing to resolve against, and nothing to register either. */
function readScriptUrl(url: string | URL, pageUrl = 'http://localhost/'): string {
  if (URL.canParse(url, pageUrl)) return new URL(url, pageUrl).href;
  throw new FlagError(
    'invalid_option',
    `registerServiceWorker: ${JSON.stringify(url)} is not an address; pass the path of the script, such as /service-worker.js.`,
  );
}

function readDeadline(deadlineMs = 10_000): number {
  if (Number.isFinite(deadlineMs) && deadlineMs > 0) return deadlineMs;
  throw new FlagError(
    'invalid_option',
    `registerServiceWorker: deadlineMs must be a number above 0 (milliseconds), but is ${deadlineMs}.`,
  );
}
