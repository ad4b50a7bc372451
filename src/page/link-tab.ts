/** Links a tab to its hub and keeps its flags and its status current. A file of its own: the page answers reads before it is here. */
import type { FlagChange } from '../core/state/flag-change.ts';
import { scopeOf } from '../core/state/scope.ts';
import type { FlagStatus } from '../core/state/status.ts';
import type { Update } from '../core/state/update.ts';
import type { Delivery, HubDebug } from '../hub/contract.ts';
import type { Listeners } from '../system/listeners.ts';
import { serverUrlOf } from '../system/server-url.ts';
import { createSystem } from '../system/system.ts';
import type { StartedWorker } from './built-in-worker.ts';
import type { FlagClientOptions } from './flag-client.ts';
import { createMirror } from './mirror.ts';
import { createPatternLoader } from './pattern-loader.ts';
import { reachHub } from './reach-hub.ts';
import type { ShownFlags } from './shown-flags.ts';
import { createTabStatus } from './tab-status.ts';

/** A tab that reads can be asked of already. */
export interface UnlinkedTab {
  /** Checked. */
  readonly options: FlagClientOptions;
  readonly shown: ShownFlags;
  readonly changes: Pick<Listeners<FlagChange>, 'notify'>;
  readonly statuses: Pick<Listeners<FlagStatus>, 'notify'>;
  /** Told whenever somebody who waits should look again. */
  readonly moments: Pick<Listeners<void>, 'notify'>;
  /** Settles when the condition holds at some moment; rejects with `timeout` or `closed`. */
  readonly until: (condition: () => boolean, what: string) => Promise<void>;
  /** Started beside the loading of this file. */
  readonly earlyWorker: StartedWorker | undefined;
}

/** What only a tab with a link can do; the verbs are those of `FlagClient`. */
export interface TabLink {
  status(): FlagStatus;
  refresh(): Promise<void>;
  forget(): Promise<void>;
  debug(): Promise<HubDebug>;
  close(): Promise<void>;
}

const STALE_AFTER_MS = 300_000;

export function linkTab({
  options,
  shown,
  changes,
  statuses,
  moments,
  until,
  earlyWorker,
}: UnlinkedTab): TabLink {
  const { accessToken, namespace = 'default', staleAfterMs = STALE_AFTER_MS } = options;
  const url = serverUrlOf(options.url) ?? options.url;
  const system = createSystem();
  const mirror = createMirror(shown);
  const tabStatus = createTabStatus({ system, mirror, staleAfterMs, onChange: statuses.notify });
  let isClosed = false;
  /** After a sign-out, until somebody signs in. */
  let isForgotten = false;
  let signOuts = 0;

  const apply = (update: Update): void => {
    isForgotten = update.kind === 'empty';
    const applied = mirror.apply(update);
    if (applied === 'gap') {
      hub.catchUp();
      return;
    }
    for (const change of applied) changes.notify(change);
  };

  const patterns = createPatternLoader({
    isWanted: () => !isClosed,
    onFailure: (reason) => {
      tabStatus.hubUnreachable(reason);
      moments.notify();
    },
    onLoaded: (compilePattern) => {
      shown.compilePattern = compilePattern;
    },
  });

  const hub = reachHub({
    options: { ...options, url, namespace },
    scope: scopeOf(namespace, url),
    earlyWorker,
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
        const signOutsBefore = signOuts;
        const loading = patterns.loadFor(update);
        if (loading) await loading;
        // What was on its way at a sign-out must not come back after it.
        if (isClosed || signOuts !== signOutsBefore) return;
        // The status first, so that a subscriber that looks at it sees what belongs to the flags.
        const before = mirror.held;
        if (update !== undefined) tabStatus.receive(status, 'quietly');
        if (update !== undefined) apply(update);
        tabStatus.receive(status);
        if (before !== mirror.held || status.connection.is !== 'connecting') moments.notify();
      },
      accessToken: async (_why) => (typeof accessToken === 'function' ? accessToken() : accessToken),
    },
  });

  return {
    status: tabStatus.now,
    refresh: async () => {
      isForgotten = false;
      const confirmed = await hub.call((remote, tabId) => remote.refresh(tabId));
      if (confirmed === null) return;
      const hasArrived = () =>
        mirror.held?.epoch === confirmed.epoch && mirror.held.revision >= confirmed.revision;
      await until(hasArrived, 'answer of the server');
    },
    forget: async () => {
      await hub.call((remote, tabId) => remote.forget(tabId));
      signOuts += 1;
      apply({ kind: 'empty' });
      // A sign-in asked for right behind it may have been answered first.
      hub.catchUp();
      tabStatus.receive({
        ...tabStatus.hub(),
        source: 'none',
        epoch: undefined,
        revision: undefined,
        confirmedAtMs: undefined,
      });
    },
    debug: () => hub.call((remote, tabId) => remote.debug(tabId)),
    close: async () => {
      isClosed = true;
      tabStatus.closed();
      await hub.close();
    },
  };
}
