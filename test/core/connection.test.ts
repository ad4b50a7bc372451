import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffDelayMs } from '../../src/core/connection/backoff.ts';
import { nextConnection } from '../../src/core/connection/machine.ts';
import { DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import {
  type ConnectionCommand,
  type ConnectionEvent,
  type ConnectionState,
  type Ending,
  initialConnection,
  wakeAtMs,
} from '../../src/core/connection/states.ts';

/** Runs events at given moments and writes down states and commands: `12:waiting`, `12:>close`. */
function run(steps: readonly (readonly [nowMs: number, event: ConnectionEvent])[], random = 0.5) {
  let state = initialConnection('no active tab');
  const trace: string[] = [];
  for (const [nowMs, event] of steps) {
    const before = state;
    const next = nextConnection(state, event, { nowMs, random, policy: DEFAULT_POLICY });
    state = next.state;
    for (const command of next.commands) trace.push(`${nowMs}:>${commandText(command)}`);
    if (state.is !== before.is) trace.push(`${nowMs}:${state.is}`);
  }
  return { state, trace };
}

const commandText = (command: ConnectionCommand): string =>
  command.do === 'open' && command.renewToken ? 'open with a new token' : command.do;
const attach: ConnectionEvent = { type: 'unpause', reason: 'no active tab' };
const opened: ConnectionEvent = { type: 'opened' };
const due: ConnectionEvent = { type: 'due' };
const ended = (ending: Ending): ConnectionEvent => ({ type: 'ended', ending });
const closed = ended({ ended: 'closed' });
const refused = (status: number, retryAfterMs?: number): ConnectionEvent =>
  ended({ ended: 'refused', status, retryAfterMs });

test('opens when the last reason to be quiet has gone, and waits before it tries again after an end', () => {
  const { trace, state } = run([
    [0, { type: 'pause', reason: 'another hub streams' }],
    [1, attach],
    [2, { type: 'unpause', reason: 'another hub streams' }],
    [10, opened],
    [5_000, closed],
    [5_499, due],
    [5_500, due],
  ]);
  expect(trace).toEqual([
    '2:>open',
    '2:connecting',
    '10:live',
    '5000:waiting',
    '5500:>open',
    '5500:connecting',
  ]);
  expect(state.failures).toBe(1);
});

test('takes a stream without a byte for dead after the silence limit, and not before', () => {
  const { trace } = run([
    [0, attach],
    [0, opened],
    [30_000, { type: 'alive' }],
    [40_000, due],
    [69_999, due],
    [70_000, due],
  ]);
  expect(trace.slice(2)).toEqual(['0:live', '70000:>close', '70000:waiting']);
});

test('gives up an attempt that gets no answer', () => {
  expect(
    run([
      [0, attach],
      [14_999, due],
      [15_000, due],
    ]).trace.slice(2),
  ).toEqual(['15000:>close', '15000:waiting']);
});

test('asks for a new token once after 401, then backs off', () => {
  expect(
    run([
      [0, attach],
      [1, refused(401)],
      [2, refused(401)],
    ]).trace,
  ).toEqual(['0:>open', '0:connecting', '1:>open with a new token', '2:waiting']);
});

test.each([403, 404, 410])(
  'polls slowly after %i and tries the stream again when the poll is due',
  (status) => {
    const { state } = run([
      [0, attach],
      [1, refused(status)],
    ]);
    expect(state).toMatchObject({ is: 'polling', reason: `the server answers ${status}` });
    expect(wakeAtMs(state, DEFAULT_POLICY)).toBe(1 + 2 * DEFAULT_POLICY.slowPollMs);
  },
);

test('stops after 204 until somebody asks', () => {
  const { trace } = run([
    [0, attach],
    [1, refused(204)],
    [2, { type: 'woken' }],
    [3, { type: 'asked' }],
  ]);
  expect(trace.slice(2)).toEqual(['1:stopped', '3:>open', '3:connecting']);
});

test.each([429, 500, 503])('backs off after %i, never sooner than Retry-After says', (status) => {
  expect(
    run([
      [0, attach],
      [0, refused(status, 20_000)],
    ]).state,
  ).toMatchObject({ is: 'waiting', retryAtMs: 20_500 });
});

test('comes back no sooner than the goodbye of the server asks', () => {
  const { state } = run([
    [0, attach],
    [0, opened],
    [100, { type: 'retry-hint', delayMs: 7_000 }],
    [200, closed],
  ]);
  expect(state).toMatchObject({ is: 'waiting', retryAtMs: 200 + 7_000 + 500 });
});

test('backs off when the answer is not an event stream', () => {
  const { state } = run([
    [0, attach],
    [0, ended({ ended: 'wrong-content', contentType: 'text/html' })],
  ]);
  expect(state).toMatchObject({ is: 'waiting', reason: 'the answer is text/html, not an event stream' });
});

test('polls when three streams in a row are cut at once, and streams again later', () => {
  const cut: (readonly [number, ConnectionEvent])[] = [0, 10_000, 40_000].flatMap((atMs) => [
    [atMs, due],
    [atMs, opened],
    [atMs + 100, closed],
  ]);
  const { state, trace } = run([[0, attach], ...cut]);
  expect(state.is).toBe('polling');
  expect(wakeAtMs(state, DEFAULT_POLICY)).toBe(41_100);
  const polled = nextConnection(state, due, { nowMs: 41_100, random: 0.5, policy: DEFAULT_POLICY });
  expect(polled.commands).toEqual([{ do: 'poll' }]);
  const again = nextConnection(polled.state, due, { nowMs: 341_000, random: 0.5, policy: DEFAULT_POLICY });
  expect(again.state.is).toBe('connecting');
  expect(trace.at(-1)).toBe('40100:polling');
});

test('forgets its failures after a stream that lived for a minute', () => {
  const { state } = run([
    [0, attach],
    [0, refused(500)],
    [500, due],
    [600, opened],
    [60_600, closed],
  ]);
  expect(state).toMatchObject({ is: 'waiting', failures: 1 });
});

test('tries at once when it is woken, and leaves a healthy stream alone', () => {
  const waiting = run(
    [
      [0, attach],
      [0, refused(500, 25_000)],
      [1_000, { type: 'woken' }],
    ],
    0,
  );
  expect(waiting.state).toMatchObject({ is: 'waiting', retryAtMs: 1_000 });
  const live = run([
    [0, attach],
    [0, opened],
    [10_000, { type: 'woken' }],
  ]);
  expect(live.state.is).toBe('live');
  const doubtful = run([
    [0, attach],
    [0, opened],
    [20_000, { type: 'woken' }],
  ]);
  expect(doubtful.trace.slice(3)).toEqual(['20000:>close', '20000:>open', '20000:connecting']);
});

describe('the delay', () => {
  test.each([
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [6, 30_000],
    [60, 30_000],
  ])('after %i failures is spread over %i ms', (attempt, ceilingMs) => {
    const delay = (random: number) => backoffDelayMs({ attempt, baseMs: 1_000, capMs: 30_000, random });
    expect([delay(0), delay(0.5), delay(0.9999)]).toEqual([0, ceilingMs / 2, Math.round(ceilingMs * 0.9999)]);
  });

  test('never falls below the floor', () => {
    expect(backoffDelayMs({ attempt: 1, baseMs: 1_000, capMs: 30_000, random: 0, floorMs: 4_000 })).toBe(
      4_000,
    );
  });
});

const ENDINGS: readonly Ending[] = [
  { ended: 'closed' },
  { ended: 'failed', error: { message: 'reset' } },
  { ended: 'wrong-content', contentType: 'text/html' },
  ...[204, 401, 403, 404, 429, 500].map(
    (status) => ({ ended: 'refused', status, retryAfterMs: undefined }) as const,
  ),
];

const arbEvent: fc.Arbitrary<ConnectionEvent> = fc.oneof(
  fc.constantFrom<ConnectionEvent>(opened, due, { type: 'alive' }, { type: 'woken' }, { type: 'asked' }),
  fc.constantFrom(...ENDINGS).map(ended),
  fc
    .constantFrom('no active tab', 'another hub streams')
    .map((reason) => ({ type: 'pause', reason }) as const),
  fc
    .constantFrom('no active tab', 'another hub streams')
    .map((reason) => ({ type: 'unpause', reason }) as const),
  fc.nat(60_000).map((delayMs) => ({ type: 'retry-hint', delayMs }) as const),
);

test('never has two streams, never opens while paused, and always wakes up again unless paused or stopped', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(50_000), arbEvent, fc.double({ min: 0, max: 0.999, noNaN: true })), {
        maxLength: 60,
      }),
      (steps) => {
        let state: ConnectionState = initialConnection('no active tab');
        let nowMs = 0;
        let open = 0;
        for (const [passedMs, event, random] of steps) {
          nowMs += passedMs;
          // The transport only reports what a stream that is open can do.
          if ((event.type === 'ended' || event.type === 'opened' || event.type === 'alive') && open === 0)
            continue;
          if (event.type === 'ended') open -= 1;
          const next = nextConnection(state, event, { nowMs, random, policy: DEFAULT_POLICY });
          for (const command of next.commands) {
            if (command.do === 'open') open += 1;
            if (command.do === 'close') open -= 1;
          }
          state = next.state;
          expect(open).toBe(state.is === 'connecting' || state.is === 'live' ? 1 : 0);
          const isQuiet = state.is === 'paused' || state.is === 'stopped';
          expect(wakeAtMs(state, DEFAULT_POLICY) === undefined).toBe(isQuiet);
          if (state.is === 'paused') expect(state.reasons.length).toBeGreaterThan(0);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
