/** The public page API as types: what `createFlagClient` takes and gives. */
import type { ConnectionPolicy } from '../core/connection/policy.ts';
import type { Entity, EvaluationRequest, EvaluationResult } from '../core/evaluate/evaluation.ts';
import type { FlagKey } from '../core/flag-types.ts';
import type { Flag, FlagFilter } from '../core/model.ts';
import type { FlagChange } from '../core/state/flag-change.ts';
import type { FlagSelector } from '../core/state/selector.ts';
import type { FlagStatus } from '../core/state/status.ts';
import type { HubDebug } from '../hub/contract.ts';

export interface FlagClientOptions {
  /** Base URL of the flag server, absolute: `https://flags.example.com`. */
  readonly url: string;
  /**
   * Bearer token with the read scope, or a function that gives one (may be async; called again when the server answers 401).
   * Kept in memory only, never stored.
   */
  readonly accessToken?: string | (() => string | undefined | Promise<string | undefined>);
  /** Separates caches on one origin: environment, tenant, user. Default `default`. 1–200 characters. */
  readonly namespace?: string;
  /** Used by `evaluate` where the request leaves a field out. */
  readonly entity?: Entity;
  /** What to replicate. Default: all flags the token may see. Tabs of one namespace share the union of their filters. */
  readonly filter?: FlagFilter;
  /** Age after which `status.stale` is true, milliseconds. Default 5 minutes. Stale flags are still read. */
  readonly staleAfterMs?: number;
  /** How long `getFlag` and the other async reads wait for the first flags before they answer from what is there, milliseconds. Default 5 000. */
  readonly firstReadTimeoutMs?: number;
  /**
   * Where the hub runs. Default `auto`: a SharedWorker; where there is none, or it cannot be loaded or does not answer, each tab hosts a
   * hub and one of them is elected to stream. Tabs of both kinds share one stream.
   */
  readonly host?: 'auto' | 'shared-worker' | 'tab';
  /** The worker to share: a URL on this origin, or a function that makes one, for bundlers that do not find the built-in literal. */
  readonly worker?: { readonly url: string | URL } | { readonly create: () => SharedWorker };
  /** Retry delays, watchdog and other numbers of the connection, where they should differ from the defaults. The first tab's are used. */
  readonly connection?: Partial<ConnectionPolicy>;
}

export interface EvaluationBatch<K extends string = string> {
  readonly flagKeys: readonly K[];
  /** What an entity leaves out is taken from the option `entity`. */
  readonly entities: readonly Entity[];
  readonly enableDebug?: boolean;
}

export type Unsubscribe = () => void;

export interface FlagClient {
  /** Settles when flags from any source are held. Rejects with `timeout` after `timeoutMs` (default: never) and with `closed`. */
  ready(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** The flag, once flags are held; never throws for a missing flag or network. */
  getFlag(key: FlagKey): Promise<Flag | undefined>;
  /** The flag as this tab holds it now. */
  peekFlag(key: FlagKey): Flag | undefined;
  /** All flags as this tab holds them now, by key. */
  peekFlags(): ReadonlyMap<string, Flag>;
  /** Decided here, as the server would decide it: by the flags that this tab holds. Never throws. */
  evaluate<K extends FlagKey>(request: EvaluationRequest<K>): Promise<EvaluationResult<K>>;
  evaluateNow<K extends FlagKey>(request: EvaluationRequest<K>): EvaluationResult<K>;
  /** Flag-major, as the server answers: for each key, all entities. */
  evaluateBatch<K extends FlagKey>(request: EvaluationBatch<K>): Promise<readonly EvaluationResult<K>[]>;
  /** A variant is chosen for the default entity and it is not `control`. */
  isEnabled(key: FlagKey): Promise<boolean>;
  /** Fires after every change of a selected flag, once per flag, when the tab's flags are already new. */
  subscribe(selector: FlagSelector, listener: (change: FlagChange) => void): Unsubscribe;
  subscribeAll(listener: (change: FlagChange) => void): Unsubscribe;
  readonly status: FlagStatus;
  /** Fires when `status` has become another value. */
  onStatus(listener: (status: FlagStatus) => void): Unsubscribe;
  /** Asks the server now; settles when its answer is in this tab. Rejects with `unreachable`, `unauthorized`, `timeout` or `closed`. */
  refresh(): Promise<void>;
  /**
   * Sign-out: wipes this namespace in storage and in every tab, and stops the stream until `refresh` or a new client.
   * Rejects with `storage` when the browser would not delete what it has stored.
   */
  forget(): Promise<void>;
  /** What the hub knows about itself, for people who look for a fault. Rejects with `timeout` or `closed`. */
  debug(): Promise<HubDebug>;
  /** Detaches this tab; reads go on with what is held, without updates. */
  close(): Promise<void>;
}
