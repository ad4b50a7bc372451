/** How an attempt begins: a stream where streams are wanted, else polls. */
import { pollNow } from './poll.ts';
import { type Circumstances, type ConnectionState, memoryOf, type Next, stay, withClose } from './states.ts';

/** A new attempt begins now. `reason`: what started it. */
export function begin(
  state: ConnectionState,
  reason: string,
  around: Circumstances,
  token: 'as it is' | 'renewed' = 'as it is',
): Next {
  if (!around.policy.streams) return startPolls(state, around);
  const renewToken = token === 'renewed';
  return {
    state: {
      ...memoryOf(state),
      is: 'connecting',
      sinceMs: around.nowMs,
      reason,
      isDoubted: false,
      hasRenewedToken: renewToken || state.hasRenewedToken,
    },
    commands: [{ do: 'open', renewToken }],
  };
}

function startPolls(state: ConnectionState, around: Circumstances): Next {
  return pollNow(
    {
      ...memoryOf(state),
      is: 'polling',
      reason: 'streams are switched off',
      trouble: undefined,
      everyMs: around.policy.pollMs,
      askedAtMs: undefined,
      nextPollAtMs: around.nowMs,
      streamAgainAtMs: Number.POSITIVE_INFINITY,
      wokenBy: undefined,
    },
    around,
  );
}

/** Begins as soon as the server may be asked: at once after a good time, else with a little jitter and no sooner than it wants. */
export function beginSoon(state: ConnectionState, wokenBy: string, around: Circumstances): Next {
  const { nowMs } = around;
  if (state.failures === 0 && nowMs >= state.notBeforeMs) return begin(state, wokenBy, around);
  const reason = nowMs < state.notBeforeMs ? 'the server asked for time' : 'attempts have failed lately';
  return stay({ ...memoryOf(state), is: 'waiting', retryAtMs: soonMs(state, around), reason, wokenBy });
}

/** Now with a little jitter, so that what wakes many wakes them apart; but no sooner than the server wants. */
export function soonMs(state: ConnectionState, { nowMs, random, policy }: Circumstances): number {
  return Math.max(state.notBeforeMs, nowMs + Math.round(random * policy.wakeUpJitterMs));
}

/** Ends what is under way and begins anew: it is more likely dead than not. */
export const beginAgain = (state: ConnectionState, reason: string, around: Circumstances): Next =>
  withClose(begin(state, reason, around));
