/**
 * When to connect, wait, poll or be quiet. Pure: (state, event, now, chance) → state and commands; a small runner carries them out.
 *
 *              ┌────────────── unpaused, woken, due ───────────────┐
 *              ▼                                                   │
 *   paused ─► connecting ──opened──► live ──ended, silent──► waiting
 *     ▲         │  │  ▲                │                           │
 *     │         │  │  └─ 401 once: renew the token                 │
 *     │         │  └── refused for good, cut three times ──► polling ──► connecting
 *     │         └───── 204, too many attempts ─────────────► stopped ──► connecting (asked for)
 *     └── pause from every state; the reasons add up and the last one to go resumes
 */
import { backoffDelayMs } from './backoff.ts';
import { type ConnectionPolicy, judgeStatus } from './policy.ts';

/** Carried through all states. */
interface Memory {
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

type State<Is extends ConnectionState['is']> = Extract<ConnectionState, { is: Is }>;

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

interface Circumstances {
  readonly nowMs: number;
  /** From 0 up to but not 1. */
  readonly random: number;
  readonly policy: ConnectionPolicy;
}

/** Not connected until the given reasons are gone. */
export function initialConnection(...reasons: string[]): ConnectionState {
  return { is: 'paused', reasons, failures: 0, shortLived: 0, floorMs: 0, hasRenewedToken: false };
}

export function nextConnection(state: ConnectionState, event: ConnectionEvent, around: Circumstances): Next {
  // The cell is made for exactly this state and event; the compiler cannot follow the two lookups.
  const row = TABLE[state.is] as unknown as Record<ConnectionEvent['type'], Transition>;
  return row[event.type](state, event, around);
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

type Transition = (state: ConnectionState, event: ConnectionEvent, around: Circumstances) => Next;

/** Complete by type: a new state or event does not compile until every cell is filled. */
type Table = {
  readonly [Is in ConnectionState['is']]: {
    readonly [Type in ConnectionEvent['type']]: (
      state: State<Is>,
      event: Extract<ConnectionEvent, { type: Type }>,
      around: Circumstances,
    ) => Next;
  };
};

const stay = (state: ConnectionState): Next => ({ state, commands: [] });

const connect = (state: ConnectionState, _event: ConnectionEvent, { nowMs }: Circumstances): Next =>
  open(state, nowMs);

const hint = (state: ConnectionState, event: { readonly delayMs: number }): Next =>
  stay({ ...state, floorMs: Math.max(0, event.delayMs) });

const pause = (state: ConnectionState, { reason }: { readonly reason: string }): Next => ({
  state: { ...memoryOf(state), is: 'paused', reasons: [reason] },
  commands: hasStream(state) ? [{ do: 'close' }] : [],
});

const stop = (state: ConnectionState, { reason }: { readonly reason: string }): Next => ({
  state: { ...memoryOf(state), is: 'stopped', reason },
  commands: hasStream(state) ? [{ do: 'close' }] : [],
});

const TABLE: Table = {
  paused: {
    opened: stay,
    alive: stay,
    ended: stay,
    'retry-hint': hint,
    due: stay,
    woken: stay,
    asked: stay,
    pause: (state, { reason }) =>
      state.reasons.includes(reason) ? stay(state) : stay({ ...state, reasons: [...state.reasons, reason] }),
    unpause: (state, { reason }, { nowMs }) => {
      if (!state.reasons.includes(reason)) return stay(state);
      const reasons = state.reasons.filter((other) => other !== reason);
      return reasons.length > 0 ? stay({ ...state, reasons }) : open(state, nowMs);
    },
    stop,
  },
  connecting: {
    opened: (state, _event, { nowMs }) =>
      stay({ ...memoryOf(state), is: 'live', sinceMs: nowMs, lastByteAtMs: nowMs, hasRenewedToken: false }),
    alive: stay,
    ended: (state, { ending }, around) => afterEnd(state, ending, around),
    'retry-hint': hint,
    due: (state, _event, around) => {
      if (around.nowMs < state.sinceMs + around.policy.connectTimeoutMs) return stay(state);
      return withClose(backOff(state, 'the server did not answer', 0, around));
    },
    woken: stay,
    asked: stay,
    pause,
    unpause: stay,
    stop,
  },
  live: {
    opened: stay,
    alive: (state, _event, { nowMs }) => stay({ ...state, lastByteAtMs: nowMs }),
    ended: (state, { ending }, around) => afterEnd(forgive(state, around), ending, around),
    'retry-hint': hint,
    due: (state, _event, around) => {
      if (around.nowMs < state.lastByteAtMs + around.policy.silenceMs) return stay(state);
      return withClose(backOff(forgive(state, around), 'no byte for too long', 0, around));
    },
    // After a sleep the socket is often dead without a sign. Half of the silence limit is enough to doubt it.
    woken: (state, _event, around) => {
      if (around.nowMs < state.lastByteAtMs + around.policy.silenceMs / 2) return stay(state);
      return withClose(open(state, around.nowMs));
    },
    asked: stay,
    pause,
    unpause: stay,
    stop,
  },
  waiting: {
    opened: stay,
    alive: stay,
    ended: stay,
    'retry-hint': hint,
    due: (state, _event, { nowMs }) => (nowMs < state.retryAtMs ? stay(state) : open(state, nowMs)),
    woken: (state, _event, { nowMs, random, policy }) => {
      const retryAtMs = nowMs + Math.round(random * policy.wakeUpJitterMs);
      return retryAtMs < state.retryAtMs ? stay({ ...state, retryAtMs }) : stay(state);
    },
    asked: connect,
    pause,
    unpause: stay,
    stop,
  },
  polling: {
    opened: stay,
    alive: stay,
    ended: stay,
    'retry-hint': hint,
    due: (state, _event, { nowMs, policy }) => {
      if (nowMs >= state.streamAgainAtMs) return open(state, nowMs);
      if (nowMs < state.nextPollAtMs) return stay(state);
      return { state: { ...state, nextPollAtMs: nowMs + policy.pollMs }, commands: [{ do: 'poll' }] };
    },
    woken: connect,
    asked: connect,
    pause,
    unpause: stay,
    stop,
  },
  stopped: {
    opened: stay,
    alive: stay,
    ended: stay,
    'retry-hint': stay,
    due: stay,
    woken: stay,
    asked: connect,
    pause,
    unpause: stay,
    stop: stay,
  },
};

function memoryOf({ failures, shortLived, floorMs, hasRenewedToken }: ConnectionState): Memory {
  return { failures, shortLived, floorMs, hasRenewedToken };
}

function hasStream(state: ConnectionState): boolean {
  return state.is === 'connecting' || state.is === 'live';
}

function open(state: ConnectionState, nowMs: number, renewToken = false): Next {
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

function withClose({ state, commands }: Next): Next {
  return { state, commands: [{ do: 'close' }, ...commands] };
}

/** A stream that lived long enough clears what went wrong before; one that hardly lived is remembered. */
function forgive(state: State<'live'>, { nowMs, policy }: Circumstances): ConnectionState {
  const livedMs = nowMs - state.sinceMs;
  const failures = livedMs >= policy.resetAfterMs ? 0 : state.failures;
  const isShort = livedMs < policy.shortLivedMs && state.floorMs === 0;
  return { ...state, failures, shortLived: isShort ? state.shortLived + 1 : 0 };
}

function afterEnd(state: ConnectionState, ending: Ending, around: Circumstances): Next {
  switch (ending.ended) {
    case 'aborted':
      return stay(state);
    case 'closed':
      return afterCut(state, 'the server closed the stream', around);
    case 'failed':
      return afterCut(state, ending.error.message, around);
    case 'wrong-content':
      return backOff(
        state,
        `the answer is ${ending.contentType || 'without a type'}, not an event stream`,
        0,
        around,
      );
    case 'refused':
      return afterRefusal(state, ending.status, ending.retryAfterMs ?? 0, around);
  }
}

const SHORT_LIVED_LIMIT = 3;

function afterCut(state: ConnectionState, reason: string, around: Circumstances): Next {
  if (state.shortLived < SHORT_LIVED_LIMIT) return backOff(state, reason, 0, around);
  const { nowMs, policy } = around;
  return stay({
    ...memoryOf(state),
    shortLived: 0,
    is: 'polling',
    reason: `streams are cut at once (${reason})`,
    nextPollAtMs: nowMs + policy.retryBaseMs,
    streamAgainAtMs: nowMs + policy.streamAgainMs,
  });
}

function afterRefusal(
  state: ConnectionState,
  status: number,
  retryAfterMs: number,
  around: Circumstances,
): Next {
  const { nowMs, random, policy } = around;
  const reason = `the server answers ${status}`;
  switch (judgeStatus(status)) {
    case 'stop':
      return stay({ ...memoryOf(state), is: 'stopped', reason });
    case 'renew-token':
      return state.hasRenewedToken ? backOff(state, reason, retryAfterMs, around) : open(state, nowMs, true);
    case 'poll': {
      const nextPollAtMs = nowMs + Math.round(policy.slowPollMs * (1 + 2 * random));
      return stay({ ...memoryOf(state), is: 'polling', reason, nextPollAtMs, streamAgainAtMs: nextPollAtMs });
    }
    case 'back-off':
      return backOff(state, reason, retryAfterMs, around);
  }
}

function backOff(state: ConnectionState, reason: string, retryAfterMs: number, around: Circumstances): Next {
  const { nowMs, random, policy } = around;
  const failures = state.failures + 1;
  if (failures > policy.maxAttempts) {
    return stay({
      ...memoryOf(state),
      failures,
      is: 'stopped',
      reason: `gave up after ${failures - 1} attempts: ${reason}`,
    });
  }
  const delayMs = backoffDelayMs({
    attempt: failures,
    baseMs: policy.retryBaseMs,
    capMs: policy.retryCapMs,
    random,
    floorMs: Math.max(state.floorMs, retryAfterMs),
  });
  return stay({
    ...memoryOf(state),
    failures,
    floorMs: 0,
    is: 'waiting',
    retryAtMs: nowMs + delayMs,
    reason,
  });
}
