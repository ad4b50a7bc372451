/** The way from the hub to one tab: at most one delivery in flight; what comes meanwhile is merged. A slow or sleeping tab delays nobody. */
import type { EventId } from '../core/model.ts';
import type { HubStatus } from '../core/state/status.ts';
import { mergeUpdates, type Update } from '../core/state/update.ts';
import type { Delivery, TabSink } from './contract.ts';

export interface TabChannel {
  readonly sink: TabSink;
  readonly isSuspended: boolean;
  readonly isBusy: boolean;
  send(update: Update | undefined): void;
  /** Sends everything that is held, unless the tab holds just that. */
  catchUp(held: EventId | undefined): void;
  suspend(): void;
  resume(): void;
  /** Nothing is sent any more. */
  close(): void;
}

export interface TabChannelOptions {
  readonly bootId: string;
  readonly sink: TabSink;
  /** All that is held now, as one update. */
  readonly whole: () => Update;
  readonly status: () => HubStatus;
  readonly isForgotten: () => boolean;
  /** Who holds a revision holds all flags of it. */
  readonly isRevisionAll: () => boolean;
  readonly onFailure: (error: unknown) => void;
}

export function createTabChannel({
  bootId,
  sink,
  whole,
  status,
  isForgotten,
  isRevisionAll,
  onFailure,
}: TabChannelOptions): TabChannel {
  let isBusy = false;
  let isSuspended = false;
  let isClosed = false;
  let isDue = false;
  let pending: Update | undefined;
  let needsWhole = false;
  /** What the tab said that it holds, until it has been sent everything. */
  let heldByTab: EventId | undefined;

  /**
   * This hub holds nothing yet; or the epochs differ, and it has only storage's word for its own: which of them is older, only the
   * server can tell. Meanwhile the tab keeps what it holds.
   */
  const isInDoubt = (): boolean => {
    if (heldByTab === undefined || isForgotten()) return false;
    const { source, epoch } = status();
    return source === 'none' || (source === 'storage' && epoch !== heldByTab.epoch);
  };

  const takeUpdate = (): Update | undefined => {
    if (!needsWhole) return pending;
    if (isInDoubt()) return undefined;
    needsWhole = false;
    heldByTab = undefined;
    return whole();
  };

  const flush = (): void => {
    if (isBusy || isSuspended || isClosed || !isDue) return;
    const update = takeUpdate();
    const delivery: Delivery = { bootId, status: status(), ...(update !== undefined && { update }) };
    isBusy = true;
    isDue = false;
    pending = undefined;
    sink
      .deliver(delivery)
      .catch((error: unknown) => {
        // Whether the tab has it is unknown, so the next delivery carries everything.
        needsWhole = true;
        onFailure(error);
      })
      .finally(() => {
        isBusy = false;
        flush();
      });
  };

  const send = (update: Update | undefined): void => {
    isDue = true;
    if (update !== undefined && !needsWhole) {
      pending = mergeUpdates(pending, update);
      needsWhole = pending === undefined;
    }
    flush();
  };

  return {
    sink,
    get isSuspended() {
      return isSuspended;
    },
    get isBusy() {
      return isBusy;
    },
    send,
    catchUp: (held) => {
      const now = whole();
      heldByTab = held;
      const isSame = now.kind !== 'empty' && now.epoch === held?.epoch && now.revision === held.revision;
      const isCurrent = isSame && isRevisionAll();
      if (!isCurrent && !(now.kind === 'empty' && held === undefined)) needsWhole = true;
      send(undefined);
    },
    suspend: () => {
      isSuspended = true;
    },
    resume: () => {
      isSuspended = false;
      flush();
    },
    close: () => {
      isClosed = true;
    },
  };
}
