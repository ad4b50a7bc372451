/**
 * The tab's end of the way to the hub: starts or joins the SharedWorker, or hosts a hub itself, attaches, and attaches again when the hub
 * has died. Every call is raced with a deadline and with the hub's death, because a call to a dead worker never settles.
 */
import { expose, type Remote, releaseProxy, transfer, wrap } from 'comlink';
import { FlagError } from '../core/errors.ts';
import type { EventId } from '../core/model.ts';
import { HUB_PROTOCOL } from '../core/protocol/hub-protocol.ts';
import { hubLockName, tabLockName } from '../core/state/scope.ts';
import type { Answer, Attached, AttachRequest, HubRemote, TabSink } from '../hub/contract.ts';
import { withDeadline } from '../system/deadline.ts';
import { findLocks, type HeldLock, takeLock } from '../system/locks.ts';
import type { System } from '../system/system.ts';
import type { StartedWorker } from './built-in-worker.ts';
import type { FlagClientOptions } from './flag-client.ts';
import { type HubDoor, type HubDoorOpener, hubDoors, rememberHungWorker } from './hub-doors.ts';
import { watchPageLife } from './page-life.ts';
import { type HubWatch, watchHub } from './watch-hub.ts';

export interface HubLink {
  /** Calls the hub; rejects with `timeout`, `closed` or what the hub answers. */
  call<T>(use: (remote: Remote<HubRemote>, tabId: string) => Promise<Answer<T>>): Promise<T>;
  /** Tells the hub what this tab holds; it sends what is newer. */
  catchUp(): void;
  close(): Promise<void>;
}

export interface HubLinkOptions {
  /** Checked, with the address as it names the server everywhere. */
  readonly options: FlagClientOptions & { readonly namespace: string };
  readonly scope: string;
  /** Is used for the first attempt. */
  readonly earlyWorker: StartedWorker | undefined;
  readonly system: System;
  readonly sink: TabSink;
  readonly held: () => EventId | undefined;
  /** The flags were wiped by a sign-out, and nobody has signed in since. */
  readonly isForgotten: () => boolean;
  readonly onAttached: (runsIn: HubDoor['runsIn']) => void;
  /** No hub can be reached now; another attempt follows. */
  readonly onUnreachable: (reason: string) => void;
}

/** A hub that has not answered by then is not there: blocked, not found, or hanging. Longer than the slowest start of a worker that works. */
const ATTACH_DEADLINE_MS = 3_000;
/** Of the first attempt after a hub has died. Short: a worker that is merely slow is joined by the second one. */
const REJOIN_DEADLINE_MS = 400;
const CALL_DEADLINE_MS = 15_000;
/** Between attempts to reach a hub that cannot be reached. */
const RESTART_DELAY_MS = 2_000;

/** Each attachment has an id and a lock of its own, so that the end of an earlier one can never be taken for the end of this one. */
interface Attachment {
  readonly tabId: string;
  readonly remote: Remote<HubRemote>;
  readonly runsIn: HubDoor['runsIn'];
  readonly death: AbortController;
  readonly lookNow: HubWatch['lookNow'];
}

export function reachHub(link: HubLinkOptions): HubLink {
  const { options, scope, system, sink, held } = link;
  const locks = findLocks();
  const closed = new AbortController();
  let attachment: Attachment | undefined;
  let attaching: Promise<Attachment> | undefined;
  /** Ends the attachment, or the attempt to make one. */
  let end = (): void => {};
  let isAsleep = false;
  let hasBeenAttached = false;
  let { earlyWorker } = link;

  const attach = async (): Promise<Attachment> => {
    let failure: unknown;
    const openers = hubDoors(options, earlyWorker);
    earlyWorker = undefined;
    // A worker that has just died may still be joined, and never answers; the next one that is asked for is another one.
    const again = hasBeenAttached ? openers.slice(0, 1) : [];
    for (const [index, opener] of [...again, ...openers].entries()) {
      try {
        attachment = await attachThrough(
          opener,
          index < again.length ? REJOIN_DEADLINE_MS : ATTACH_DEADLINE_MS,
        );
        hasBeenAttached = true;
        link.onAttached(attachment.runsIn);
        return attachment;
      } catch (error) {
        failure = error;
        const code = error instanceof FlagError ? error.code : undefined;
        // Ended by this page, so no other way is wanted.
        if (code === 'closed') break;
        const isHanging = code === 'timeout' && opener.runsIn === 'shared-worker' && !hasBeenAttached;
        if (isHanging && openers.length > 1) rememberHungWorker();
      }
    }
    throw failure;
  };

  const attachThrough = async ({ runsIn, open }: HubDoorOpener, deadlineMs: number): Promise<Attachment> => {
    const tabId = system.newId();
    const death = new AbortController();
    const channel = new MessageChannel();
    let tabLock: HeldLock | undefined;
    let remote: Remote<HubRemote> | undefined;
    let door: HubDoor | undefined;
    let watch: HubWatch | undefined;
    const endThis = (): void => {
      watch?.stop();
      death.abort();
      // Comlink throws when a proxy is released twice, and an end can come from several sides.
      remote?.[releaseProxy]();
      remote = undefined;
      channel.port1.close();
      door?.leave();
      tabLock?.release();
      attachment = undefined;
    };
    end = endThis;
    try {
      // Before the tab is attached, so that the hub can never wait for a lock that is not there yet. A hub in this tab waits for none.
      if (runsIn !== 'tab') tabLock = await takeLock(locks, tabLockName(scope, tabId));
      door = await open();
      if (death.signal.aborted) throw new FlagError('closed', 'The page went to sleep.');
      remote = wrap<HubRemote>(door.port);
      expose(sink, channel.port1);
      door.loadFailure.addEventListener('abort', () => attachment === undefined && death.abort());
      const asked: Promise<Answer<Attached>> = remote.attach(
        request(tabId),
        transfer(channel.port2, [channel.port2]),
      );
      const answer = await withDeadline(asked, {
        system,
        afterMs: deadlineMs,
        what: runsIn === 'tab' ? 'The hub of this tab' : 'The shared worker',
        death: death.signal,
      });
      const { bootId } = unwrap(answer);
      const reached = remote;
      const ask = async (): Promise<unknown> => {
        const answered: Promise<Answer<unknown>> = reached.debug(tabId);
        return unwrap(await withDeadline(answered, { system, afterMs: ATTACH_DEADLINE_MS, what: 'The hub' }));
      };
      const lockName = hubLockName(scope, bootId);
      // A hub in this tab dies with it.
      if (runsIn !== 'tab') watch = watchHub({ locks, lockName, system, ask, onDeath: hubHasDied });
      return { tabId, remote, runsIn, death, lookNow: () => watch?.lookNow() };
    } catch (error) {
      endThis();
      throw door?.loadFailure.aborted ? scriptNotLoaded() : error;
    }
  };

  const request = (tabId: string): AttachRequest => ({
    protocol: HUB_PROTOCOL,
    tabId,
    url: options.url,
    namespace: options.namespace,
    filter: options.filter,
    policy: options.connection ?? {},
    held: held(),
    isForgotten: link.isForgotten(),
  });

  /** The hub holds a lock for as long as it lives; when the lock is free, the hub is gone and a new one is reached at once. */
  const hubHasDied = (): void => {
    end();
    if (!closed.signal.aborted && !isAsleep) attachQuietly();
  };

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
    if (closed.signal.aborted || isAsleep) return;
    link.onUnreachable(error instanceof Error ? error.message : String(error));
    system.after(RESTART_DELAY_MS, () => {
      if (!closed.signal.aborted && !isAsleep) attachQuietly();
    });
  };

  const callHub = async <T>(use: (remote: Remote<HubRemote>, tabId: string) => Promise<T>): Promise<T> => {
    if (closed.signal.aborted)
      throw new FlagError('closed', 'This flag client has been closed. Create a new one.');
    const { tabId, remote, death } = await ensureAttached();
    return withDeadline(use(remote, tabId), {
      system,
      afterMs: CALL_DEADLINE_MS,
      what: 'The hub',
      death: death.signal,
    });
  };

  /** Fire and forget: a hub that cannot hear it will be told what matters when the tab attaches again. */
  const tell = (use: (remote: Remote<HubRemote>, tabId: string) => Promise<void>): void => {
    if (attachment !== undefined) use(attachment.remote, attachment.tabId).catch(() => {});
  };

  watchPageLife(
    {
      // Chromium says both twice on the way into the back/forward cache and out of it: hidden and frozen, thawed and shown.
      onSleep: () => {
        if (isAsleep) return;
        isAsleep = true;
        // A hub in this tab must let go of the stream now: the page may sleep with the lock in its hand.
        if (attachment?.runsIn === 'shared-worker') tell((remote, tabId) => remote.suspend(tabId));
        else end();
      },
      onWake: () => {
        if (!isAsleep) return;
        isAsleep = false;
        // The hub may have died meanwhile, and the lock that tells of it may have been taken away: nothing old is trusted.
        end();
        attachQuietly();
      },
      onSign: (why) => {
        tell((remote, tabId) => remote.wake(tabId, why));
        attachment?.lookNow();
      },
    },
    closed.signal,
  );

  const catchUp = (): void => {
    void ensureAttached()
      .then(({ remote, tabId }) => remote.resume(tabId, held()))
      .catch(() => {});
  };

  const attachQuietly = (): void => {
    void ensureAttached().catch(() => {});
  };

  attachQuietly();

  return {
    call: async (use) => unwrap(await callHub(use)),
    catchUp,
    close: async () => {
      closed.abort();
      const { remote, tabId } = attachment ?? {};
      if (tabId !== undefined) await remote?.detach(tabId).catch(() => {});
      end();
    },
  };
}

function scriptNotLoaded(): FlagError {
  return new FlagError(
    'environment',
    'The script of the shared worker could not be loaded. It must be served from this origin and allowed by the policy (worker-src).',
  );
}

function unwrap<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw new FlagError(answer.code, answer.message);
}
