/** The machine's state as people see it, and its transitions as the trace tells them. */
import type { ConnectionEvent, ConnectionState } from '../core/connection/states.ts';
import type { ConnectionStatus } from '../core/state/status.ts';
import type { System } from '../system/system.ts';

/** Turns moments of the machine's clock into milliseconds since 1970. Follows a wall clock that is set, but not its rounding. */
export function createWallClock(system: Pick<System, 'nowMs' | 'elapsedMs'>): (elapsedMs: number) => number {
  let offsetMs = 0;
  return (elapsedMs) => {
    const freshMs = system.nowMs() - system.elapsedMs();
    if (Math.abs(freshMs - offsetMs) >= SET_CLOCK_MS) offsetMs = freshMs;
    return Math.round(elapsedMs + offsetMs);
  };
}

/** A difference that somebody has made; smaller ones come from rounding and would make every status a new one. */
const SET_CLOCK_MS = 100;

export function connectionStatus(
  state: ConnectionState,
  wallMs: (elapsedMs: number) => number,
): ConnectionStatus {
  switch (state.is) {
    case 'paused':
      return { is: 'paused', reasons: state.reasons };
    case 'connecting':
      return { is: 'connecting', attempt: state.failures + 1 };
    case 'live':
      return { is: 'live', sinceMs: wallMs(state.sinceMs) };
    case 'waiting':
      return {
        is: 'waiting',
        retryAtMs: wallMs(state.retryAtMs),
        attempt: state.failures + 1,
        reason: state.reason,
      };
    case 'polling':
      return {
        is: 'polling',
        nextPollAtMs: wallMs(state.askedAtMs ?? Math.min(state.nextPollAtMs, state.streamAgainAtMs)),
        reason: reasonOf(state) ?? '',
      };
    case 'stopped':
      return { is: 'stopped', reason: state.reason };
  }
}

/** What happened, why, and what the machine says about where it is now. */
export function describeTransition(
  before: ConnectionState,
  event: ConnectionEvent,
  after: ConnectionState,
): Readonly<Record<string, unknown>> {
  const why = whyOf(event);
  const reason = reasonOf(after);
  return {
    event: event.type,
    ...(why !== undefined && { why }),
    ...(before.is !== after.is && { from: before.is }),
    ...(reason !== undefined && { reason }),
    ...(after.is === 'waiting' && after.wokenBy !== undefined && { wokenBy: after.wokenBy }),
  };
}

function whyOf(event: ConnectionEvent): string | undefined {
  if ('why' in event) return event.why;
  if ('reason' in event) return event.reason;
  return 'ending' in event ? event.ending.ended : undefined;
}

function reasonOf(state: ConnectionState): string | undefined {
  switch (state.is) {
    case 'paused':
      return state.reasons.join(', ');
    case 'live':
      return state.isDoubted ? 'may be dead' : undefined;
    case 'polling':
      return state.trouble === undefined ? state.reason : `${state.reason}; last poll: ${state.trouble}`;
    default:
      return state.reason;
  }
}
