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
import { afterEnd, backOff, forgive } from './after-end.ts';
import {
  type Circumstances,
  type ConnectionEvent,
  type ConnectionState,
  memoryOf,
  type Next,
  open,
  type State,
  stay,
} from './states.ts';

export function nextConnection(state: ConnectionState, event: ConnectionEvent, around: Circumstances): Next {
  // The cell is made for exactly this state and event; the compiler cannot follow the two lookups.
  const row = TABLE[state.is] as unknown as Record<ConnectionEvent['type'], Transition>;
  return row[event.type](state, event, around);
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

function hasStream(state: ConnectionState): boolean {
  return state.is === 'connecting' || state.is === 'live';
}

function withClose({ state, commands }: Next): Next {
  return { state, commands: [{ do: 'close' }, ...commands] };
}
