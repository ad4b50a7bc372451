/** What follows when a stream has ended, or never came to be. */
import { backoffDelayMs } from './backoff.ts';
import { begin } from './begin.ts';
import { judgeStatus } from './policy.ts';
import { describeFailure, giveUp, pollNow, slowPollDelayMs } from './poll.ts';
import {
  type Circumstances,
  type ConnectionState,
  type Ending,
  memoryOf,
  type Next,
  type State,
  stay,
} from './states.ts';

/** The machine's answer to every way a stream can end. */
export function afterEnd(state: ConnectionState, ending: Ending, around: Circumstances): Next {
  switch (ending.ended) {
    case 'closed':
      return afterCut(state, 'the server closed the stream', around);
    case 'failed':
      return afterCut(state, ending.error.message, around);
    case 'dropped':
      return backOff(state, ending.reason, 0, around);
    case 'aborted':
    case 'wrong-content':
      return backOff(state, describeFailure(ending, 'an event stream'), 0, around);
    case 'refused':
      return afterRefusal(state, ending, around);
  }
}

const SHORT_LIVED_LIMIT = 3;

function afterCut(state: ConnectionState, reason: string, around: Circumstances): Next {
  // A server that takes its leave is well: earlier failures do not make the next attempt later than it asks for.
  if (state.byeMs !== undefined)
    return backOff({ ...state, failures: 0 }, 'the server said goodbye', 0, around);
  if (state.shortLived < SHORT_LIVED_LIMIT) return backOff(state, reason, 0, around);
  const { nowMs, policy } = around;
  const floorMs = Math.max(state.floorMs, state.byeMs ?? 0);
  const notBeforeMs = nowMs + floorMs;
  return stay({
    ...memoryOf(state),
    // The next stream is a trial: one more that is cut at once, and polling goes on.
    shortLived: SHORT_LIVED_LIMIT - 1,
    notBeforeMs,
    is: 'polling',
    reason: `streams are cut at once (${reason})`,
    trouble: undefined,
    everyMs: policy.pollMs,
    askedAtMs: undefined,
    nextPollAtMs: notBeforeMs + Math.round(policy.retryBaseMs * around.random),
    streamAgainAtMs: notBeforeMs + policy.streamAgainMs,
    wokenBy: undefined,
  });
}

function afterRefusal(
  state: ConnectionState,
  ending: Extract<Ending, { ended: 'refused' }>,
  around: Circumstances,
): Next {
  const reason = describeFailure(ending);
  const retryAfterMs = ending.retryAfterMs ?? 0;
  switch (judgeStatus(ending.status)) {
    case 'stop':
      return stay({ ...memoryOf(state), is: 'stopped', reason });
    case 'renew-token':
      if (state.hasRenewedToken) return backOff(state, reason, retryAfterMs, around);
      return begin(state, 'a new token after 401', around, 'renewed');
    case 'poll':
      return pollSlowly(state, reason, retryAfterMs, around);
    case 'back-off':
      return backOff(state, reason, retryAfterMs, around);
  }
}

/** The stream is refused for good, but snapshots may still be had: one at once, and then each time the stream is tried again. */
function pollSlowly(
  state: ConnectionState,
  reason: string,
  retryAfterMs: number,
  around: Circumstances,
): Next {
  const { nowMs, policy } = around;
  const nextPollAtMs = nowMs + Math.max(retryAfterMs, slowPollDelayMs(around));
  const polling: State<'polling'> = {
    ...memoryOf(state),
    notBeforeMs: nowMs + retryAfterMs,
    is: 'polling',
    reason,
    trouble: undefined,
    everyMs: 2 * policy.slowPollMs,
    askedAtMs: undefined,
    nextPollAtMs,
    streamAgainAtMs: nextPollAtMs,
    wokenBy: undefined,
  };
  return retryAfterMs > 0 ? stay(polling) : pollNow(polling, around);
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
  if (failures > policy.maxAttempts) return stay(giveUp(state, reason, failures));
  const floorMs = Math.max(state.floorMs, state.byeMs ?? 0, retryAfterMs);
  const delayMs = backoffDelayMs({
    attempt: failures,
    baseMs: policy.retryBaseMs,
    capMs: policy.retryCapMs,
    fullJitterAttempts: policy.fullJitterAttempts,
    random,
    floorMs,
  });
  return stay({
    ...memoryOf(state),
    failures,
    notBeforeMs: nowMs + floorMs,
    is: 'waiting',
    retryAtMs: nowMs + delayMs,
    reason,
    wokenBy: undefined,
  });
}
