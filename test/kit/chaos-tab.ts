/** A tab as the page entry makes one: it joins a hub, joins another when that one has died, and watches that every delivery keeps the promises. */
import type { EventId, Flag, FlagFilter } from '../../src/core/model.ts';
import { hubLockName, tabLockName } from '../../src/core/state/scope.ts';
import type { HubStatus } from '../../src/core/state/status.ts';
import type { Delivery } from '../../src/hub/contract.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { createMirror } from '../../src/page/mirror.ts';
import { type HeldLock, holdLock, whenLockIsFree } from '../../src/system/locks.ts';
import { isOlder, nameOf } from './chaos-moments.ts';
import { SCOPE, type WorldAgent, type WorldHub } from './hub-world.ts';

export interface PlacedHub {
  readonly world: WorldHub;
  readonly agent: WorldAgent;
}

export interface ChaosTabOptions {
  readonly name: string;
  readonly agent: WorldAgent;
  readonly filter: FlagFilter | undefined;
  /** Whether the server had these flags at that moment. */
  readonly isTrue: (moment: EventId, flags: ReadonlyMap<string, Flag>) => boolean;
  /** The hub that this tab belongs to; a new one where there is none. */
  readonly reachHub: () => PlacedHub;
  /** The application always has one that is valid. */
  readonly accessToken: () => string;
  readonly onSignIn: () => void;
  /** The tab shows this state, and says that it lies in storage. */
  readonly onStored: (id: EventId) => void;
  readonly onBroken: (promise: string) => void;
}

export interface ChaosTab {
  readonly name: string;
  readonly agent: WorldAgent;
  readonly filter: FlagFilter | undefined;
  readonly held: EventId | undefined;
  readonly flags: ReadonlyMap<string, Flag>;
  /** Told last. */
  readonly status: HubStatus | undefined;
  readonly isSuspended: boolean;
  readonly hub: PlacedHub | undefined;
  /** Neither this thread nor that of its hub hangs. */
  readonly isReached: boolean;
  /** Calls the hub; it hears when it can. */
  call(use: (hub: Hub) => unknown): void;
  /** Asks for the newest state, which is also how somebody signs in again. */
  refresh(question: Question): void;
  suspend(): void;
  resume(): void;
  close(): void;
}

export interface Question {
  /** The hub has heard it. */
  readonly onHeard: (by: PlacedHub) => void;
  readonly onAnswered: () => void;
  /** The server has confirmed this, and the tab still belongs to that hub. */
  readonly onConfirmed: (id: EventId | null) => void;
}

interface Attachment {
  readonly hub: PlacedHub;
  readonly tabId: string;
  end(): void;
}

export function createChaosTab(options: ChaosTabOptions): ChaosTab {
  const { name, agent, filter, onBroken } = options;
  const { locks } = agent.locks;
  const mirror = createMirror();
  let status: HubStatus | undefined;
  let attachment: Attachment | undefined;
  let attachments = 0;
  let isSuspended = false;
  /** The hub of this attachment has heard that the tab is suspended. */
  let toldOf: Attachment | undefined;
  let isClosed = false;
  /** Wiped by a sign-out, and nobody has signed in here since. */
  let isForgotten = false;
  let shown: EventId | undefined;

  const check = (): void => {
    const { held, flags } = mirror;
    if (held !== undefined && !options.isTrue(held, flags))
      onBroken(`${name} shows at ${nameOf(held)} what the server never had`);
    if (held !== undefined && shown !== undefined && isOlder(held, shown))
      onBroken(`${name} went back from ${nameOf(shown)} to ${nameOf(held)}`);
    shown = held;
    const isWhatTheHubHolds = status?.epoch === held?.epoch && status?.revision === held?.revision;
    if (held !== undefined && isWhatTheHubHolds && status?.storage === 'persistent') options.onStored(held);
  };

  const receive = ({ update, status: told }: Delivery): void => {
    status = told;
    if (update !== undefined) isForgotten = update.kind === 'empty';
    if (update !== undefined && mirror.apply(update) === 'gap') {
      const { held } = mirror;
      call((hub, tabId) => hub.resume(tabId, held));
    }
    check();
  };

  const call = (use: (hub: Hub, tabId: string) => unknown): void => {
    if (attachment === undefined) return;
    const { hub, tabId } = attachment;
    hub.agent.life.run(() => hub.world.isClosed || use(hub.world.hub, tabId));
  };

  /** Each attachment has an id and a lock of its own, held before the hub hears of it. */
  const attach = (): void => {
    if (isClosed || isSuspended || attachment !== undefined) return;
    const hub = options.reachHub();
    attachments += 1;
    const tabId = `${name}.${attachments}`;
    let tabLock: HeldLock | undefined;
    let stopWatching = (): void => {};
    const mine: Attachment = {
      hub,
      tabId,
      end: () => {
        stopWatching();
        tabLock?.release();
        attachment = undefined;
      },
    };
    attachment = mine;
    const join = (): void => {
      if (attachment !== mine) return;
      if (!isForgotten) options.onSignIn();
      const request = { tabId, filter, held: mirror.held, isForgotten, sink: sinkOf(mine) };
      call((to) => {
        to.attach(request);
        // As `serve-tab` does: a tab that has died lets go of its lock.
        whenLockIsFree(hub.agent.locks.locks, tabLockName(SCOPE, tabId), () => {
          if (!hub.world.isClosed) to.detach(tabId);
        });
      });
      stopWatching = whenLockIsFree(locks, hubLockName(SCOPE, hub.world.bootId), () => {
        mine.end();
        attach();
      });
    };
    tabLock = holdLock(locks, tabLockName(SCOPE, tabId), { onHeld: join });
  };

  const sinkOf = (mine: Attachment) => {
    let isBusy = false;
    const answer = <T>(work: () => T): Promise<T> =>
      mine.hub.agent.life.hear(
        new Promise((resolve) =>
          queueMicrotask(() => agent.life.run(() => attachment === mine && resolve(work()))),
        ),
      );
    return {
      deliver: async (delivery: Delivery): Promise<void> => {
        if (isBusy) onBroken(`two deliveries to ${name} under way`);
        if (toldOf === mine && attachment === mine) onBroken(`${name} is suspended and was sent something`);
        isBusy = true;
        await answer(() => receive(delivery));
        isBusy = false;
      },
      accessToken: () => answer(options.accessToken),
    };
  };

  attach();

  return {
    name,
    agent,
    filter,
    get held() {
      return mirror.held;
    },
    get flags() {
      return mirror.flags;
    },
    get status() {
      return status;
    },
    get isSuspended() {
      return isSuspended;
    },
    get hub() {
      return attachment?.hub;
    },
    get isReached() {
      return !isSuspended && !agent.life.isFrozen && attachment?.hub.agent.life.isFrozen === false;
    },
    call,
    refresh: ({ onHeard, onAnswered, onConfirmed }) => {
      isForgotten = false;
      const mine = attachment;
      call((hub) => {
        if (mine !== undefined) onHeard(mine.hub);
        const asked = hub.refresh().finally(onAnswered);
        return agent.life
          .hear(asked)
          .then((answer) => attachment === mine && answer.ok && onConfirmed(answer.value));
      });
    },
    suspend: () => {
      const mine = attachment;
      call((hub, tabId) => {
        hub.suspend(tabId);
        toldOf = mine;
      });
      isSuspended = true;
    },
    resume: () => {
      isSuspended = false;
      // The hub may have died meanwhile without a sign: nothing old is trusted.
      attachment?.end();
      attach();
    },
    close: () => {
      isClosed = true;
      call((hub, tabId) => hub.detach(tabId));
      attachment?.end();
    },
  };
}
