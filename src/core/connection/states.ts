/** The states of the connection, what can happen to it, and what it then wants done: the words of `machine.ts`. */
import type { ConnectionPolicy } from './policy.ts';

/** Carried through all states. Every moment here and below is on a clock that never jumps. */
export interface Memory {
  /** Failures in a row. */
  readonly failures: number;
  /** Streams in a row that ended almost at once. */
  readonly shortLived: number;
  /** What `retry:` asked for: a floor of every delay from then on; 0 for none. */
  readonly floorMs: number;
  /** The server of the stream that is live has said goodbye and wants this much time after the end; `undefined` when it has not. */
  readonly byeMs: number | undefined;
  /** Before this moment nothing is asked of the server unless a person does: `Retry-After`, `retry:` and `bye` of the last end. */
  readonly notBeforeMs: number;
  /** A token has been renewed since the last request that worked. */
  readonly hasRenewedToken: boolean;
  /** The browser said `offline`, or clocks disagree about how long it slept; no byte has come since. */
  readonly isDoubted: boolean;
}

export type ConnectionState = Memory &
  (
    | { readonly is: 'paused'; readonly reasons: readonly string[] }
    /** `reason`: what started the attempt. */
    | { readonly is: 'connecting'; readonly sinceMs: number; readonly reason: string }
    | {
        readonly is: 'live';
        readonly sinceMs: number;
        /** A byte, or the answer to a probe. */
        readonly lastSignAtMs: number;
        /** This server sends nothing when nothing changes. */
        readonly isQuiet: boolean;
        /** A probe is under way since then. */
        readonly probedAtMs: number | undefined;
      }
    /** `wokenBy`: what moved the attempt forward. */
    | {
        readonly is: 'waiting';
        readonly retryAtMs: number;
        readonly reason: string;
        readonly wokenBy: string | undefined;
      }
    | {
        readonly is: 'polling';
        /** Why there is no stream. */
        readonly reason: string;
        /** How the last poll failed; `undefined` when it did not. */
        readonly trouble: string | undefined;
        /** Time between polls that work, before it is spread. */
        readonly everyMs: number;
        /** A poll is under way since then. */
        readonly askedAtMs: number | undefined;
        readonly nextPollAtMs: number;
        /** `Infinity` where streams are not wanted. */
        readonly streamAgainAtMs: number;
        readonly wokenBy: string | undefined;
      }
    | { readonly is: 'stopped'; readonly reason: string }
  );

export type State<Is extends ConnectionState['is']> = Extract<ConnectionState, { is: Is }>;

/** How a request ended without bringing what was asked for; the transport's `RequestFailure` fits. */
export type Failure =
  | { readonly ended: 'aborted' }
  | { readonly ended: 'failed'; readonly error: { readonly message: string } }
  | { readonly ended: 'refused'; readonly status: number; readonly retryAfterMs: number | undefined }
  | { readonly ended: 'wrong-content'; readonly contentType: string };

/** How a stream ended; the transport's `StreamEnd` fits. `dropped`: by us, because what it brought cannot be trusted. */
export type Ending =
  | { readonly ended: 'closed' }
  | { readonly ended: 'dropped'; readonly reason: string }
  | Failure;

/** The server has answered, with something newer or with the word that there is nothing. */
export type GoodPoll = { readonly ended: 'snapshot' | 'not-modified' };

/** How a poll or a probe ended; the transport's `SnapshotAnswer` fits. */
export type PollEnding =
  | GoodPoll
  | { readonly ended: 'malformed'; readonly error: { readonly message: string } }
  | Failure;

export type ConnectionEvent =
  | { readonly type: 'opened' }
  | { readonly type: 'alive' }
  /** The server of this stream is silent by nature. */
  | { readonly type: 'quiet' }
  | { readonly type: 'ended'; readonly ending: Ending }
  /** From `retry:`: from now on no attempt earlier than this after an end. */
  | { readonly type: 'retry-hint'; readonly delayMs: number }
  /** The server is about to close on purpose: no attempt earlier than this after the end. */
  | { readonly type: 'bye'; readonly delayMs: number }
  /** The time given by `wakeAtMs` has come. */
  | { readonly type: 'due' }
  /** Something happened that makes an attempt worthwhile now: online, visible, back from sleep. */
  | { readonly type: 'woken'; readonly why: string }
  /** What is open may be dead: the browser went offline, or the machine slept. Ends nothing by itself. */
  | { readonly type: 'doubted'; readonly why: string }
  /** Somebody asks for it; starts a stopped connection too, and waits for no floor. */
  | { readonly type: 'asked' }
  | { readonly type: 'polled'; readonly ending: PollEnding }
  | { readonly type: 'probed'; readonly ending: PollEnding }
  | { readonly type: 'pause'; readonly reason: string }
  | { readonly type: 'unpause'; readonly reason: string }
  | { readonly type: 'stop'; readonly reason: string };

export type ConnectionCommand =
  | { readonly do: 'open'; readonly renewToken: boolean }
  /** Ends the stream, poll or probe under way; it reports nothing any more. */
  | { readonly do: 'close' }
  /** Asks for what is new; `polled` tells how it ended. */
  | { readonly do: 'poll'; readonly renewToken: boolean }
  /** The same beside a stream; `probed` tells how it ended. */
  | { readonly do: 'probe' };

export interface Next {
  /** The same reference when nothing changed. */
  readonly state: ConnectionState;
  readonly commands: readonly ConnectionCommand[];
}

export interface Circumstances {
  /** On a clock that never jumps. */
  readonly nowMs: number;
  /** From 0 up to but not 1. */
  readonly random: number;
  readonly policy: ConnectionPolicy;
}

/** Not connected until the given reasons are gone. */
export function initialConnection(...reasons: string[]): ConnectionState {
  return {
    is: 'paused',
    reasons,
    failures: 0,
    shortLived: 0,
    floorMs: 0,
    byeMs: undefined,
    notBeforeMs: 0,
    hasRenewedToken: false,
    isDoubted: false,
  };
}

/** When the machine wants to hear `due`; `undefined` for never. */
export function wakeAtMs(state: ConnectionState, policy: ConnectionPolicy): number | undefined {
  switch (state.is) {
    case 'connecting':
      return state.sinceMs + policy.connectTimeoutMs;
    case 'live':
      return finite(
        state.probedAtMs === undefined
          ? state.lastSignAtMs + policy.silenceMs
          : state.probedAtMs + policy.connectTimeoutMs,
      );
    case 'waiting':
      return state.retryAtMs;
    case 'polling':
      return state.askedAtMs === undefined
        ? Math.min(state.nextPollAtMs, state.streamAgainAtMs)
        : state.askedAtMs + policy.connectTimeoutMs;
    case 'paused':
    case 'stopped':
      return undefined;
  }
}

const finite = (atMs: number): number | undefined => (Number.isFinite(atMs) ? atMs : undefined);

/** A stream, a poll or both may be under way. */
export function isBusy(state: ConnectionState): boolean {
  return (
    state.is === 'connecting' ||
    state.is === 'live' ||
    (state.is === 'polling' && state.askedAtMs !== undefined)
  );
}

/** What outlives a state. A goodbye is of one stream, and ends with it. */
export function memoryOf(state: Memory): Memory {
  const { failures, shortLived, floorMs, notBeforeMs, hasRenewedToken, isDoubted } = state;
  return { failures, shortLived, floorMs, byeMs: undefined, notBeforeMs, hasRenewedToken, isDoubted };
}

/** Nothing is to be done. */
export const stay = (state: ConnectionState): Next => ({ state, commands: [] });

/** What is under way ends first. */
export function withClose({ state, commands }: Next): Next {
  return { state, commands: [{ do: 'close' }, ...commands] };
}
