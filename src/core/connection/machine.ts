/**
 * When to connect, wait, poll or be quiet. Pure: (state, event, now, chance) → state and commands; a small runner carries them out.
 *
 *                ┌──────────── due, woken (soon), asked ───────────────┐
 *                ▼                                                     │
 *   paused ─► connecting ──opened──► live ──ended, silent──────► waiting
 *     ▲        │  │  │  ▲             │  │ ▲                           ▲
 *     │        │  │  │  │             │  └─┘ a quiet stream is probed, │
 *     │        │  │  │  │             │      not dropped for silence   │
 *     │        │  │  │  │             ├──woken when doubted or silent ─► connecting
 *     │        │  │  │  └─ 401 once: renew the token                   │
 *     │        │  │  └──── failed, no answer ──────────────────────────┘
 *     │        │  └─ refused for good, cut three times ─► polling ──due, woken, asked──► connecting
 *     │        └──── 204, too many attempts ────────────► stopped ──asked──► connecting
 *     └── pause from every state; the reasons add up and the last one to go resumes:
 *         at once, or by way of waiting when attempts have failed lately or the server wants time
 *
 * Where streams are not wanted (policy), every arrow to connecting goes to polling instead. Polling asks at once, then now and
 * then; a failed poll backs off, 401 renews the token once, 204 stops.
 */
import { afterEnd, backOff } from './after-end.ts';
import { begin, beginAgain, beginSoon, soonMs } from './begin.ts';
import { afterProbe, afterSilence, afterWake, countShortLife, forgive } from './live.ts';
import { afterPoll, pollLater, pollNow } from './poll.ts';
import {
  type Circumstances,
  type ConnectionEvent,
  type ConnectionState,
  isBusy,
  type Memory,
  memoryOf,
  type Next,
  type State,
  stay,
  withClose,
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

const ask = (state: ConnectionState, _event: ConnectionEvent, around: Circumstances): Next =>
  begin(state, 'asked', around);

const hint = (state: ConnectionState, event: { readonly delayMs: number }): Next =>
  stay({ ...state, floorMs: Math.max(0, event.delayMs) });

const doubt = (state: ConnectionState): Next => stay(state.isDoubted ? state : { ...state, isDoubted: true });

const pause = (
  state: ConnectionState,
  { reason }: { readonly reason: string },
  around: Circumstances,
): Next => leave(state, { ...rememberEnd(state, around), is: 'paused', reasons: [reason] });

const stop = (state: ConnectionState, { reason }: { readonly reason: string }, around: Circumstances): Next =>
  leave(state, { ...rememberEnd(state, around), is: 'stopped', reason });

const TABLE: Table = {
  paused: {
    opened: stay,
    alive: stay,
    quiet: stay,
    ended: stay,
    'retry-hint': hint,
    bye: stay,
    due: stay,
    woken: stay,
    doubted: stay,
    asked: stay,
    polled: stay,
    probed: stay,
    pause: (state, { reason }) =>
      state.reasons.includes(reason) ? stay(state) : stay({ ...state, reasons: [...state.reasons, reason] }),
    unpause: (state, { reason }, around) => {
      if (!state.reasons.includes(reason)) return stay(state);
      const reasons = state.reasons.filter((other) => other !== reason);
      return reasons.length > 0
        ? stay({ ...state, reasons })
        : beginSoon(state, `no longer: ${reason}`, around);
    },
    stop,
  },
  connecting: {
    opened: (state, _event, { nowMs }) =>
      stay({
        ...memoryOf(state),
        is: 'live',
        sinceMs: nowMs,
        lastSignAtMs: nowMs,
        isQuiet: false,
        probedAtMs: undefined,
        hasRenewedToken: false,
        isDoubted: false,
      }),
    alive: stay,
    quiet: stay,
    ended: (state, { ending }, around) => afterEnd(state, ending, around),
    'retry-hint': hint,
    bye: stay,
    due: (state, _event, around) => {
      if (around.nowMs < state.sinceMs + around.policy.connectTimeoutMs) return stay(state);
      return withClose(backOff(state, 'the server did not answer', 0, around));
    },
    // Packets lost while offline are sent again ever more slowly: a new attempt is faster than an old one.
    woken: (state, { why }, around) => {
      const isOld = around.nowMs >= state.sinceMs + around.policy.connectTimeoutMs / 3;
      return state.isDoubted || isOld ? beginAgain(state, `woken: ${why}`, around) : stay(state);
    },
    doubted: doubt,
    asked: stay,
    polled: stay,
    probed: stay,
    pause,
    unpause: stay,
    stop,
  },
  live: {
    opened: stay,
    alive: (state, _event, { nowMs }) =>
      stay({ ...state, lastSignAtMs: nowMs, probedAtMs: undefined, isDoubted: false }),
    quiet: (state) => stay(state.isQuiet ? state : { ...state, isQuiet: true }),
    ended: (state, { ending }, around) =>
      afterEnd(countShortLife(forgive(state, around), ending, around), ending, around),
    'retry-hint': hint,
    bye: (state, { delayMs }) => stay({ ...state, byeMs: Math.max(0, delayMs) }),
    due: afterSilence,
    woken: afterWake,
    doubted: doubt,
    asked: stay,
    polled: stay,
    probed: afterProbe,
    pause,
    unpause: stay,
    stop,
  },
  waiting: {
    opened: stay,
    alive: stay,
    quiet: stay,
    ended: stay,
    'retry-hint': hint,
    bye: stay,
    due: (state, _event, around) => {
      if (around.nowMs < state.retryAtMs) return stay(state);
      return begin(state, state.wokenBy ?? 'due', around);
    },
    woken: (state, { why }, around) => {
      const retryAtMs = soonMs(state, around);
      return retryAtMs < state.retryAtMs
        ? stay({ ...state, retryAtMs, wokenBy: `woken: ${why}` })
        : stay(state);
    },
    doubted: stay,
    asked: ask,
    polled: stay,
    probed: stay,
    pause,
    unpause: stay,
    stop,
  },
  polling: {
    opened: stay,
    // A large snapshot on a slow line takes its time.
    alive: (state, _event, { nowMs }) =>
      stay(state.askedAtMs === undefined ? state : { ...state, askedAtMs: nowMs }),
    quiet: stay,
    ended: stay,
    'retry-hint': hint,
    bye: stay,
    due: (state, _event, around) => {
      const { nowMs, policy } = around;
      if (state.askedAtMs !== undefined) {
        if (nowMs < state.askedAtMs + policy.connectTimeoutMs) return stay(state);
        return withClose(pollLater(state, 'the server did not answer', 0, around));
      }
      if (nowMs >= state.streamAgainAtMs) return begin(state, state.wokenBy ?? 'due', around);
      return nowMs < state.nextPollAtMs ? stay(state) : pollNow(state, around);
    },
    // What is tried is what would be tried next: a stream where streams are wanted, else a poll.
    woken: (state, { why }, around) => {
      if (state.askedAtMs !== undefined)
        return state.isDoubted ? withClose(pollNow(state, around)) : stay(state);
      const atMs = soonMs(state, around);
      if (atMs >= Math.min(state.nextPollAtMs, state.streamAgainAtMs)) return stay(state);
      const moved = around.policy.streams ? { streamAgainAtMs: atMs } : { nextPollAtMs: atMs };
      return stay({ ...state, ...moved, wokenBy: `woken: ${why}` });
    },
    doubted: doubt,
    asked: (state, _event, around) => {
      if (around.policy.streams) return leave(state, begin(state, 'asked', around));
      return state.askedAtMs === undefined ? pollNow(state, around) : stay(state);
    },
    polled: (state, { ending }, around) =>
      state.askedAtMs === undefined ? stay(state) : afterPoll(state, ending, around),
    probed: stay,
    pause,
    unpause: stay,
    stop,
  },
  stopped: {
    opened: stay,
    alive: stay,
    quiet: stay,
    ended: stay,
    'retry-hint': stay,
    bye: stay,
    due: stay,
    woken: stay,
    doubted: stay,
    asked: (state, _event, around) => begin({ ...state, failures: 0 }, 'asked', around),
    polled: stay,
    probed: stay,
    pause,
    unpause: stay,
    stop: stay,
  },
};

/** What is under way ends, and what comes next begins. */
function leave(state: ConnectionState, next: Next | ConnectionState): Next {
  const to = 'commands' in next ? next : stay(next);
  return isBusy(state) ? withClose(to) : to;
}

/** What stays when we end a stream ourselves: a goodbye still wants its time, and a long life still clears what went wrong. */
function rememberEnd(state: ConnectionState, around: Circumstances): Memory {
  const memory = memoryOf(state.is === 'live' ? forgive(state, around) : state);
  const byeUntilMs = around.nowMs + (state.byeMs ?? 0);
  return { ...memory, notBeforeMs: Math.max(memory.notBeforeMs, byeUntilMs) };
}
