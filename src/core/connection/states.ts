/** The states of the connection, what can happen to it, and what it then wants done: the words of `machine.ts`. */
import type { ConnectionPolicy } from './policy.ts';

/** Carried through all states. */
export interface Memory {
  /** Failures in a row. */
  readonly failures: number;
  /** Streams in a row that ended almost at once. */
  readonly shortLived: number;
  /** A floor for the next delay, from `retry:` or `bye`; 0 for none. */
  readonly floorMs: number;
  /** A token has been renewed since the last stream that worked. */
  readonly hasRenewedToken: boolean;
}

export type ConnectionState = Memory &
  (
    | { readonly is: 'paused'; readonly reasons: readonly string[] }
    | { readonly is: 'connecting'; readonly sinceMs: number }
    | { readonly is: 'live'; readonly sinceMs: number; readonly lastByteAtMs: number }
    | { readonly is: 'waiting'; readonly retryAtMs: number; readonly reason: string }
    | {
        readonly is: 'polling';
        readonly nextPollAtMs: number;
        readonly streamAgainAtMs: number;
        readonly reason: string;
      }
    | { readonly is: 'stopped'; readonly reason: string }
  );

export type State<Is extends ConnectionState['is']> = Extract<ConnectionState, { is: Is }>;

/** How a stream ended; the transport's `StreamEnd` fits. */
export type Ending =
  | { readonly ended: 'closed' | 'aborted' }
  | { readonly ended: 'failed'; readonly error: { readonly message: string } }
  | { readonly ended: 'refused'; readonly status: number; readonly retryAfterMs: number | undefined }
  | { readonly ended: 'wrong-content'; readonly contentType: string };

export type ConnectionEvent =
  | { readonly type: 'opened' }
  | { readonly type: 'alive' }
  | { readonly type: 'ended'; readonly ending: Ending }
  /** From `retry:` or `bye`: no attempt earlier than this after the end. */
  | { readonly type: 'retry-hint'; readonly delayMs: number }
  /** The time given by `wakeAtMs` has come. */
  | { readonly type: 'due' }
  /** Something happened that makes an attempt worthwhile now: online, visible, back from sleep. */
  | { readonly type: 'woken' }
  /** Somebody asks for it; starts a stopped connection too. */
  | { readonly type: 'asked' }
  | { readonly type: 'pause'; readonly reason: string }
  | { readonly type: 'unpause'; readonly reason: string }
  | { readonly type: 'stop'; readonly reason: string };

export type ConnectionCommand =
  | { readonly do: 'open'; readonly renewToken: boolean }
  | { readonly do: 'close' }
  | { readonly do: 'poll' };

export interface Next {
  /** The same reference when nothing changed. */
  readonly state: ConnectionState;
  readonly commands: readonly ConnectionCommand[];
}

export interface Circumstances {
  readonly nowMs: number;
  /** From 0 up to but not 1. */
  readonly random: number;
  readonly policy: ConnectionPolicy;
}

/** Not connected until the given reasons are gone. */
export function initialConnection(...reasons: string[]): ConnectionState {
  return { is: 'paused', reasons, failures: 0, shortLived: 0, floorMs: 0, hasRenewedToken: false };
}

/** When the machine wants to hear `due`; `undefined` for never. */
export function wakeAtMs(state: ConnectionState, policy: ConnectionPolicy): number | undefined {
  switch (state.is) {
    case 'connecting':
      return state.sinceMs + policy.connectTimeoutMs;
    case 'live':
      return Number.isFinite(policy.silenceMs) ? state.lastByteAtMs + policy.silenceMs : undefined;
    case 'waiting':
      return state.retryAtMs;
    case 'polling':
      return Math.min(state.nextPollAtMs, state.streamAgainAtMs);
    case 'paused':
    case 'stopped':
      return undefined;
  }
}

export function memoryOf({ failures, shortLived, floorMs, hasRenewedToken }: ConnectionState): Memory {
  return { failures, shortLived, floorMs, hasRenewedToken };
}

/** Nothing is to be done. */
export const stay = (state: ConnectionState): Next => ({ state, commands: [] });

/** A new attempt begins. */
export function open(state: ConnectionState, nowMs: number, renewToken = false): Next {
  return {
    state: {
      ...memoryOf(state),
      is: 'connecting',
      sinceMs: nowMs,
      hasRenewedToken: renewToken || state.hasRenewedToken,
    },
    commands: [{ do: 'open', renewToken }],
  };
}
