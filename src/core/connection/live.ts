/** While a stream is live: is it still alive, and what will be remembered of it. */
import { backOff } from './after-end.ts';
import { beginAgain } from './begin.ts';
import { describeFailure, isGood } from './poll.ts';
import {
  type Circumstances,
  type ConnectionEvent,
  type Ending,
  type Next,
  type State,
  stay,
  withClose,
} from './states.ts';

type Live = State<'live'>;
type EventOf<Type extends ConnectionEvent['type']> = Extract<ConnectionEvent, { type: Type }>;

/** A stream that lived long enough clears what went wrong before. */
export function forgive(state: Live, { nowMs, policy }: Circumstances): Live {
  return nowMs - state.sinceMs >= policy.resetAfterMs ? { ...state, failures: 0 } : state;
}

/** A stream that the network cut after hardly a life is remembered; one that the server or we ended on purpose says nothing. */
export function countShortLife(state: Live, ending: Ending, { nowMs, policy }: Circumstances): Live {
  const isLong = nowMs - state.sinceMs >= policy.shortLivedMs;
  const isOnPurpose = state.byeMs !== undefined || ending.ended === 'dropped';
  if (isOnPurpose && !isLong) return state;
  return { ...state, shortLived: isLong ? 0 : state.shortLived + 1 };
}

/** The timer has come: nothing may have been heard for too long. A server that is silent by nature is asked before it is given up. */
export function afterSilence(state: Live, _event: EventOf<'due'>, around: Circumstances): Next {
  const { nowMs, policy } = around;
  if (state.probedAtMs !== undefined) {
    if (nowMs < state.probedAtMs + policy.connectTimeoutMs) return stay(state);
    return drop(state, 'the server did not answer a probe', 0, around);
  }
  if (nowMs < state.lastSignAtMs + policy.silenceMs) return stay(state);
  return state.isQuiet ? probe(state, around) : drop(state, 'no byte for too long', 0, around);
}

/** After a sleep the socket is often dead without a sign. Half of the silence limit is enough to doubt it. */
export function afterWake(state: Live, { why }: EventOf<'woken'>, around: Circumstances): Next {
  const { nowMs, policy } = around;
  // The server is about to end it anyway, and wants time before the next.
  if (state.byeMs !== undefined) return stay(state);
  const isSilent = nowMs >= state.lastSignAtMs + policy.silenceMs / 2;
  if (!state.isDoubted && !isSilent) return stay(state);
  if (!state.isDoubted && state.isQuiet) {
    return state.probedAtMs === undefined ? probe(state, around) : stay(state);
  }
  return beginAgain(forgive(state, around), `woken: ${why}`, around);
}

export function afterProbe(state: Live, { ending }: EventOf<'probed'>, around: Circumstances): Next {
  // A byte has come meanwhile: the stream is alive, whatever became of the probe.
  if (state.probedAtMs === undefined) return stay(state);
  if (isGood(ending)) return stay({ ...state, lastSignAtMs: around.nowMs, probedAtMs: undefined });
  const retryAfterMs = ending.ended === 'refused' ? (ending.retryAfterMs ?? 0) : 0;
  return drop(state, `a probe failed: ${describeFailure(ending)}`, retryAfterMs, around);
}

function probe(state: Live, { nowMs }: Circumstances): Next {
  return { state: { ...state, probedAtMs: nowMs }, commands: [{ do: 'probe' }] };
}

function drop(state: Live, reason: string, retryAfterMs: number, around: Circumstances): Next {
  return withClose(backOff(forgive(state, around), reason, retryAfterMs, around));
}
