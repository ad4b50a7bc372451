/** What follows when a stream has ended, or never came to be. */
import { backoffDelayMs } from './backoff.ts';
import { judgeStatus } from './policy.ts';
import {
  type Circumstances,
  type ConnectionState,
  type Ending,
  memoryOf,
  type Next,
  open,
  type State,
  stay,
} from './states.ts';

/** A stream that lived long enough clears what went wrong before; one that hardly lived is remembered. */
export function forgive(state: State<'live'>, { nowMs, policy }: Circumstances): ConnectionState {
  const livedMs = nowMs - state.sinceMs;
  const failures = livedMs >= policy.resetAfterMs ? 0 : state.failures;
  const isShort = livedMs < policy.shortLivedMs && state.floorMs === 0;
  return { ...state, failures, shortLived: isShort ? state.shortLived + 1 : 0 };
}

/** The machine's answer to every way a stream can end. */
export function afterEnd(state: ConnectionState, ending: Ending, around: Circumstances): Next {
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

/** One more failure: wait, or give up. */
export function backOff(
  state: ConnectionState,
  reason: string,
  retryAfterMs: number,
  around: Circumstances,
): Next {
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
