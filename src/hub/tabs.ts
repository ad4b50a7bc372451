/** The tabs attached to a hub: sends to all, and asks one of them for the access token. */
import type { EventId } from '../core/model.ts';
import type { HubStatus } from '../core/state/status.ts';
import type { Update } from '../core/state/update.ts';
import type { System } from '../system/system.ts';
import type { Trace } from '../system/trace.ts';
import type { HubDebug, TabSink } from './contract.ts';
import { createTabChannel, type TabChannel } from './tab-channel.ts';

export interface Tabs {
  /** Attached, suspended ones included. */
  readonly count: number;
  /** Attached and not suspended. */
  readonly activeCount: number;
  add(tabId: string, sink: TabSink, held: EventId | undefined): void;
  remove(tabId: string): void;
  suspend(tabId: string): void;
  resume(tabId: string, held: EventId | undefined): void;
  sendUpdate(update: Update): void;
  sendStatus(): void;
  /**
   * The newest active tab is asked first, each time: who has signed in again must not wait for the old token to be refused. A tab that
   * does not answer in time is passed over; when none does, the token of last time is tried.
   */
  askForToken(why: 'first' | 'rejected'): Promise<string | undefined>;
  dropToken(): void;
  list(): HubDebug['tabs'];
  close(): void;
}

export interface TabsOptions {
  readonly bootId: string;
  readonly system: Pick<System, 'after'>;
  readonly trace: Trace;
  readonly whole: () => Update;
  readonly status: () => HubStatus;
  /** After a sign-out tabs are emptied; else a tab that holds flags keeps them until this hub has some. */
  readonly isForgotten: () => boolean;
  /** Who holds a revision holds all flags of it. */
  readonly isRevisionAll: () => boolean;
  /** Active tabs were asked for the token, and none has answered. */
  readonly onNoAnswer: () => void;
}

const TOKEN_DEADLINE_MS = 10_000;
/** When an earlier token is there to fall back to. */
const TOKEN_AGAIN_MS = 1_000;

export function createTabs({
  bootId,
  system,
  trace,
  whole,
  status,
  isForgotten,
  isRevisionAll,
  onNoAnswer,
}: TabsOptions): Tabs {
  const channels = new Map<string, TabChannel>();
  let token: string | undefined;

  const remove = (tabId: string): void => {
    channels.get(tabId)?.close();
    if (channels.delete(tabId)) trace('hub', 'tab gone', { tabId, left: channels.size });
  };

  return {
    get count() {
      return channels.size;
    },
    get activeCount() {
      return [...channels.values()].filter((channel) => !channel.isSuspended).length;
    },
    add: (tabId, sink, held) => {
      remove(tabId);
      const onFailure = (error: unknown) => trace('hub', 'delivery failed', { tabId, reason: String(error) });
      const channel = createTabChannel({
        bootId,
        sink,
        whole,
        status,
        isForgotten,
        isRevisionAll,
        onFailure,
      });
      channels.set(tabId, channel);
      trace('hub', 'tab attached', { tabId, tabs: channels.size });
      channel.catchUp(held);
    },
    remove,
    suspend: (tabId) => channels.get(tabId)?.suspend(),
    resume: (tabId, held) => {
      const channel = channels.get(tabId);
      channel?.resume();
      channel?.catchUp(held);
    },
    sendUpdate: (update) => {
      for (const channel of channels.values()) channel.send(update);
    },
    sendStatus: () => {
      for (const channel of channels.values()) channel.send(undefined);
    },
    askForToken: async (why) => {
      const active = [...channels].filter(([, channel]) => !channel.isSuspended).reverse();
      for (const [tabId, { sink }] of active) {
        const answer = await answerWithin(
          sink.accessToken(why),
          system,
          token === undefined ? TOKEN_DEADLINE_MS : TOKEN_AGAIN_MS,
        );
        if (answer !== undefined) {
          token = answer.token;
          return token;
        }
        trace('hub', 'no token', { tabId });
      }
      if (active.length > 0) onNoAnswer();
      return token;
    },
    dropToken: () => {
      token = undefined;
    },
    list: () => [...channels].map(([tabId, { isSuspended, isBusy }]) => ({ tabId, isSuspended, isBusy })),
    close: () => {
      for (const channel of channels.values()) channel.close();
      channels.clear();
    },
  };
}

/** `undefined` when the tab fails or does not answer in time: it may be dead without a sign. */
function answerWithin(
  asked: Promise<string | undefined>,
  system: Pick<System, 'after'>,
  deadlineMs: number,
): Promise<{ readonly token: string | undefined } | undefined> {
  return new Promise((resolve) => {
    const stop = system.after(deadlineMs, () => resolve(undefined));
    asked
      .then(
        (token) => resolve({ token }),
        () => resolve(undefined),
      )
      .finally(stop);
  });
}
