/** Life without a stream: snapshots on request, apart by chance, with the same care for a server in trouble. */
import { backoffDelayMs } from './backoff.ts';
import { type ConnectionPolicy, judgeStatus } from './policy.ts';
import {
  type Circumstances,
  type GoodPoll,
  type Memory,
  memoryOf,
  type Next,
  type PollEnding,
  type State,
  stay,
} from './states.ts';

type Polling = State<'polling'>;

export function pollNow(
  state: Polling,
  { nowMs }: Circumstances,
  token: 'as it is' | 'renewed' = 'as it is',
): Next {
  const renewToken = token === 'renewed';
  return {
    state: {
      ...state,
      askedAtMs: nowMs,
      wokenBy: undefined,
      isDoubted: false,
      hasRenewedToken: renewToken || state.hasRenewedToken,
    },
    commands: [{ do: 'poll', renewToken }],
  };
}

/** The machine's answer to every way a poll can end. */
export function afterPoll(state: Polling, ending: PollEnding, around: Circumstances): Next {
  if (isGood(ending)) return afterGoodPoll(state, around);
  const trouble = describeFailure(ending);
  if (ending.ended !== 'refused') return pollLater(state, trouble, 0, around);
  switch (judgeStatus(ending.status)) {
    case 'stop':
      return stay({ ...memoryOf(state), is: 'stopped', reason: trouble });
    case 'renew-token':
      if (!state.hasRenewedToken) return pollNow(state, around, 'renewed');
      return pollLater(state, trouble, ending.retryAfterMs ?? 0, around);
    case 'poll': {
      const delayMs = Math.max(ending.retryAfterMs ?? 0, slowPollDelayMs(around));
      return stay({
        ...state,
        askedAtMs: undefined,
        trouble,
        nextPollAtMs: around.nowMs + delayMs,
        notBeforeMs: around.nowMs + (ending.retryAfterMs ?? 0),
      });
    }
    case 'back-off':
      return pollLater(state, trouble, ending.retryAfterMs ?? 0, around);
  }
}

function afterGoodPoll(state: Polling, { nowMs, random }: Circumstances): Next {
  return stay({
    ...state,
    failures: 0,
    hasRenewedToken: false,
    isDoubted: false,
    trouble: undefined,
    askedAtMs: undefined,
    // From half to one and a half: tabs and browsers that began together drift apart.
    nextPollAtMs: nowMs + Math.round(state.everyMs * (0.5 + random)),
  });
}

/** A poll has failed: the next one comes after a delay, or never. */
export function pollLater(
  state: Polling,
  trouble: string,
  retryAfterMs: number,
  { nowMs, random, policy }: Circumstances,
): Next {
  const failures = state.failures + 1;
  if (failures > policy.maxAttempts) return stay(giveUp(state, trouble, failures));
  const floorMs = Math.max(state.floorMs, retryAfterMs);
  const delayMs = backoffDelayMs({
    attempt: failures,
    baseMs: policy.retryBaseMs,
    capMs: pollCapMs(state, policy),
    fullJitterAttempts: policy.fullJitterAttempts,
    random,
    floorMs,
  });
  return stay({
    ...state,
    failures,
    trouble,
    askedAtMs: undefined,
    nextPollAtMs: nowMs + delayMs,
    notBeforeMs: nowMs + floorMs,
  });
}

/** In the long run a server that fails is asked no more often than one that answers. */
function pollCapMs({ everyMs }: Polling, { retryCapMs, slowPollMs }: ConnectionPolicy): number {
  return Math.max(retryCapMs, Math.min(everyMs, slowPollMs));
}

export function giveUp(state: Memory, reason: string, failures: number): State<'stopped'> {
  return {
    ...memoryOf(state),
    failures,
    is: 'stopped',
    reason: `gave up after ${failures - 1} attempts: ${reason}`,
  };
}

/** One to three times the slow pace. */
export const slowPollDelayMs = ({ random, policy }: Circumstances): number =>
  Math.round(policy.slowPollMs * (1 + 2 * random));

export function isGood(ending: PollEnding): ending is GoodPoll {
  return ending.ended === 'snapshot' || ending.ended === 'not-modified';
}

type Trouble = Exclude<PollEnding, GoodPoll>;

/** In words, for `status` and the trace. */
export function describeFailure(ending: Trouble, wanted = 'a snapshot'): string {
  switch (ending.ended) {
    case 'aborted':
      // Not by us: what we end reports nothing. So it is a failure like any other.
      return 'the request was aborted';
    case 'failed':
    case 'malformed':
      return ending.error.message;
    case 'wrong-content':
      return `the answer is ${ending.contentType || 'without a type'}, not ${wanted}`;
    case 'refused':
      return `the server answers ${ending.status}`;
  }
}
