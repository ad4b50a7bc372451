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
  /** Units of text, for the counters. */
  readonly onFailure: (error: unknown) => void;
}

export function createTabChannel({ bootId, sink, whole, status, onFailure }: TabChannelOptions): TabChannel {
  let isBusy = false;
  let isSuspended = false;
  let isClosed = false;
  let isDue = false;
  let pending: Update | undefined;
  let needsWhole = false;

  const flush = (): void => {
    if (isBusy || isSuspended || isClosed || !isDue) return;
    const update = needsWhole ? whole() : pending;
    const delivery: Delivery = { bootId, status: status(), ...(update !== undefined && { update }) };
    isBusy = true;
    isDue = false;
    needsWhole = false;
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
      const isCurrent = now.kind !== 'empty' && now.epoch === held?.epoch && now.revision === held.revision;
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
