/** What crosses the port between a tab and its hub; `core/protocol/hub-protocol` names its version. */
import type { ConnectionPolicy } from '../core/connection/policy.ts';
import type { FlagErrorCode } from '../core/errors.ts';
import type { EventId, FlagFilter } from '../core/model.ts';
import type { HubStatus } from '../core/state/status.ts';
import type { Update } from '../core/state/update.ts';
import type { TraceEntry } from '../system/trace.ts';

/** Errors lose their class and fields on the way through Comlink, so outcomes cross as data. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: FlagErrorCode; readonly message: string };

export interface AttachRequest {
  readonly protocol: number;
  /** The tab holds the lock named by this id before it attaches, and for as long as it lives. */
  readonly tabId: string;
  readonly url: string;
  readonly namespace: string;
  readonly filter: FlagFilter | undefined;
  readonly policy: Partial<ConnectionPolicy>;
  /** What the tab holds already, after a hub has died. */
  readonly held: EventId | undefined;
  /** The tab's flags were wiped by a sign-out: to attach it, after a crash or a sleep, is no sign-in. */
  readonly isForgotten?: boolean;
}

export interface Attached {
  readonly protocol: number;
  /** Names this run of the hub; another one means: attach again. */
  readonly bootId: string;
}

/** One delivery to a tab. The tab's answer is the receipt: until then nothing more is sent, only merged. */
export interface Delivery {
  readonly bootId: string;
  /** Absent when only the status is new. */
  readonly update?: Update;
  readonly status: HubStatus;
}

/** The tab's end, called by the hub. */
export interface TabSink {
  deliver(delivery: Delivery): Promise<void>;
  /** `rejected`: the server has answered 401 to the last one. */
  accessToken(why: 'first' | 'rejected'): Promise<string | undefined>;
}

/** The hub's end, called by tabs. */
export interface HubRemote {
  attach(request: AttachRequest, sinkPort: MessagePort): Promise<Answer<Attached>>;
  detach(tabId: string): Promise<void>;
  /** The page is going into the back/forward cache: nothing is sent to it any more. */
  suspend(tabId: string): Promise<void>;
  /** The page is back, or has found a gap, and holds this. */
  resume(tabId: string, held: EventId | undefined): Promise<void>;
  /** Something happened that makes an attempt to connect worthwhile. */
  wake(tabId: string, why: string): Promise<void>;
  /** The state that the server has confirmed; it is on its way to the tab. */
  refresh(tabId: string): Promise<Answer<EventId | null>>;
  forget(tabId: string): Promise<Answer<null>>;
  debug(tabId: string): Promise<Answer<HubDebug>>;
}

/** For people who look for a fault. */
export interface HubDebug {
  readonly bootId: string;
  readonly scope: string;
  readonly bootedAtMs: number;
  readonly status: HubStatus;
  readonly tabs: readonly {
    readonly tabId: string;
    readonly isSuspended: boolean;
    readonly isBusy: boolean;
  }[];
  /** Streams opened, snapshots fetched, changes refused as old, malformed events, text written to storage and sent to each tab (UTF-16 units). */
  readonly counts: HubCounts;
  /** The newest trace entries. */
  readonly trace: readonly TraceEntry[];
}

export interface HubCounts {
  readonly streams: number;
  readonly snapshots: number;
  readonly refused: number;
  readonly malformed: number;
  readonly unknown: number;
  readonly writtenLength: number;
  readonly sentLengthPerTab: number;
}
