/** The connection machine in tests: events with short names, and what it does as lines of text. */
import { nextConnection } from '../../src/core/connection/machine.ts';
import { type ConnectionPolicy, DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import {
  type ConnectionCommand,
  type ConnectionEvent,
  type ConnectionState,
  type Ending,
  initialConnection,
  type PollEnding,
} from '../../src/core/connection/states.ts';

export const NO_TAB = 'no active tab';

export const attach: ConnectionEvent = { type: 'unpause', reason: NO_TAB };
export const detach: ConnectionEvent = { type: 'pause', reason: NO_TAB };
export const opened: ConnectionEvent = { type: 'opened' };
export const alive: ConnectionEvent = { type: 'alive' };
export const quiet: ConnectionEvent = { type: 'quiet' };
export const due: ConnectionEvent = { type: 'due' };
export const asked: ConnectionEvent = { type: 'asked' };
export const woken: ConnectionEvent = { type: 'woken', why: 'online' };
export const doubted: ConnectionEvent = { type: 'doubted', why: 'offline' };
export const ended = (ending: Ending): ConnectionEvent => ({ type: 'ended', ending });
export const closed = ended({ ended: 'closed' });
export const refused = (status: number, retryAfterMs?: number): ConnectionEvent =>
  ended({ ended: 'refused', status, retryAfterMs });
export const polled = (ending: PollEnding): ConnectionEvent => ({ type: 'polled', ending });
export const probed = (ending: PollEnding): ConnectionEvent => ({ type: 'probed', ending });
export const pollRefused = (status: number, retryAfterMs?: number): ConnectionEvent =>
  polled({ ended: 'refused', status, retryAfterMs });
export const pollCurrent = polled({ ended: 'not-modified' });

export type Step = readonly [nowMs: number, event: ConnectionEvent];

export interface RunOptions {
  readonly random?: number;
  readonly policy?: Partial<ConnectionPolicy>;
  readonly from?: ConnectionState;
}

/** Runs events at given moments and writes down states and commands: `12:waiting`, `12:>close`. */
export function run(steps: readonly Step[], options: RunOptions = {}) {
  const { random = 0.5, from = initialConnection(NO_TAB) } = options;
  const policy = { ...DEFAULT_POLICY, ...options.policy };
  let state = from;
  const trace: string[] = [];
  for (const [nowMs, event] of steps) {
    const before = state;
    const next = nextConnection(state, event, { nowMs, random, policy });
    state = next.state;
    for (const command of next.commands) trace.push(`${nowMs}:>${commandText(command)}`);
    if (state.is !== before.is) trace.push(`${nowMs}:${state.is}`);
  }
  return { state, trace };
}

export const commandText = (command: ConnectionCommand): string =>
  'renewToken' in command && command.renewToken ? `${command.do} with a new token` : command.do;
