/** Random lives of the pure machine: whatever happens, in whatever order. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextConnection } from '../../src/core/connection/machine.ts';
import { type ConnectionPolicy, DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import {
  type ConnectionEvent,
  type ConnectionState,
  type Ending,
  initialConnection,
  isBusy,
  type PollEnding,
  wakeAtMs,
} from '../../src/core/connection/states.ts';
import {
  alive,
  asked,
  attach,
  doubted,
  due,
  ended,
  NO_TAB,
  opened,
  polled,
  probed,
  quiet,
} from './connection-kit.ts';

const REASONS = [NO_TAB, 'another hub streams', 'forgotten'];

const arbRetryAfterMs = fc.option(fc.nat(100_000), { nil: undefined });
const arbFailure = fc.oneof(
  fc.constant({ ended: 'failed', error: { message: 'reset' } } as const),
  fc.constant({ ended: 'wrong-content', contentType: 'text/html' } as const),
  fc.record({
    ended: fc.constant('refused' as const),
    status: fc.constantFrom(204, 401, 403, 404, 410, 429, 500, 503),
    retryAfterMs: arbRetryAfterMs,
  }),
);
const arbEnding: fc.Arbitrary<Ending> = fc.oneof(
  arbFailure,
  fc.constant<Ending>({ ended: 'closed' }),
  fc.constant<Ending>({ ended: 'aborted' }),
  fc.constant<Ending>({ ended: 'dropped', reason: 'changes are missing' }),
);
const arbPollEnding: fc.Arbitrary<PollEnding> = fc.oneof(
  arbFailure,
  fc.constantFrom<PollEnding>({ ended: 'snapshot' }, { ended: 'not-modified' }, { ended: 'aborted' }),
);
const arbReason = fc.constantFrom(...REASONS);
const arbEvent: fc.Arbitrary<ConnectionEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(due) },
  { weight: 4, arbitrary: fc.constantFrom<ConnectionEvent>(opened, alive, quiet, doubted, asked) },
  { weight: 4, arbitrary: arbEnding.map(ended) },
  { weight: 3, arbitrary: arbPollEnding.map(polled) },
  { weight: 2, arbitrary: arbPollEnding.map(probed) },
  fc.constantFrom('online', 'visible').map((why) => ({ type: 'woken', why }) as const),
  arbReason.map((reason) => ({ type: 'pause', reason }) as const),
  { weight: 2, arbitrary: arbReason.map((reason) => ({ type: 'unpause', reason }) as const) },
  fc.nat(60_000).map((delayMs) => ({ type: 'retry-hint', delayMs }) as const),
  fc.nat(60_000).map((delayMs) => ({ type: 'bye', delayMs }) as const),
);
const arbChance = fc.double({ min: 0, max: 0.999, noNaN: true });
const arbSteps = fc.array(fc.tuple(fc.oneof(fc.nat(1_000), fc.nat(50_000)), arbEvent, arbChance), {
  maxLength: 80,
});

const LIVES: [string, Partial<ConnectionPolicy>][] = [
  ['with streams', {}],
  ['with polls only', { streams: false }],
  ['with few attempts allowed', { maxAttempts: 3 }],
];

/** What the world outside has under way for the machine. */
interface World {
  streams: number;
  asks: number;
}

/** Only what is under way can report something. */
function canHappen(event: ConnectionEvent, world: World): boolean {
  switch (event.type) {
    case 'ended':
    case 'opened':
    case 'alive':
    case 'quiet':
    case 'bye':
    case 'retry-hint':
      return world.streams > 0;
    case 'polled':
    case 'probed':
      return world.asks > 0;
    default:
      return true;
  }
}

test.each(LIVES)(
  'never two streams, never one beside a reason to be quiet, never a dead end, no floor broken: %s',
  (_, options) => {
    const policy = { ...DEFAULT_POLICY, ...options };
    fc.assert(
      fc.property(arbSteps, (steps) => {
        let state: ConnectionState = initialConnection(NO_TAB);
        let nowMs = 0;
        const world: World = { streams: 0, asks: 0 };
        const reasons = new Set([NO_TAB]);
        for (const [passedMs, event, random] of steps) {
          nowMs += passedMs;
          if (!canHappen(event, world)) continue;
          if (event.type === 'ended') world.streams = world.asks = 0;
          if (event.type === 'polled' || event.type === 'probed') world.asks = 0;
          const wasStopped = state.is === 'stopped';
          const { notBeforeMs } = state;
          const next = nextConnection(state, event, { nowMs, random, policy });
          for (const command of next.commands) {
            if (command.do === 'close') world.streams = world.asks = 0;
            if (command.do === 'open') world.streams += 1;
            if (command.do === 'poll' || command.do === 'probe') world.asks += 1;
            // A token is renewed and a probe is made beside the wish of the server; a person may go against it.
            const isOnRequest = event.type === 'asked' || command.do === 'probe' || command.do === 'close';
            const isRenewal = 'renewToken' in command && command.renewToken;
            const isFallback = event.type === 'ended' && command.do === 'poll';
            if (!isOnRequest && !isRenewal && !isFallback && !isLiveAgain(state)) {
              expect(nowMs, `${command.do} after ${event.type}`).toBeGreaterThanOrEqual(notBeforeMs);
            }
          }
          state = next.state;

          expect(world.streams).toBe(state.is === 'connecting' || state.is === 'live' ? 1 : 0);
          expect(world.asks).toBeLessThanOrEqual(1);
          if (world.streams + world.asks > 0) expect(isBusy(state)).toBe(true);
          const atMs = wakeAtMs(state, policy);
          expect(atMs === undefined).toBe(state.is === 'paused' || state.is === 'stopped');
          if (state.is === 'waiting') expect(state.retryAtMs).toBeGreaterThanOrEqual(state.notBeforeMs);

          expect(state.byeMs === undefined || state.is === 'live').toBe(true);
          if (event.type === 'pause') reasons.add(event.reason);
          if (event.type === 'unpause') reasons.delete(event.reason);
          if (state.is === 'paused') expect([...state.reasons].sort()).toEqual([...reasons].sort());
          else expect(wasStopped || reasons.size === 0 || state.is === 'stopped').toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  },
);

/** A stream that was open and is begun anew: nothing has ended, so nothing was asked for. */
const isLiveAgain = (state: ConnectionState): boolean => state.is === 'live' || state.is === 'connecting';

/** The worst chance: four attempts at once, then five more, each with a renewed token or a poll in its place beside it. */
test.each(LIVES.slice(0, 2))(
  'asks the server at most 20 times in any minute, however it fails and however chance falls: %s',
  (_, options) => {
    const policy = { ...DEFAULT_POLICY, ...options };
    const arbFailures = fc.array(
      fc.tuple(arbEnding, arbPollEnding, arbChance, fc.constantFrom(0, 0, 1_500)),
      {
        minLength: 40,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(arbFailures, (failures) => {
        let state: ConnectionState = initialConnection(NO_TAB);
        let nowMs = 0;
        const attempts: number[] = [];
        const tell = (event: ConnectionEvent, random: number): void => {
          const next = nextConnection(state, event, { nowMs, random, policy });
          state = next.state;
          for (const command of next.commands) if (command.do !== 'close') attempts.push(nowMs);
        };
        tell(attach, 0);
        for (const [ending, pollEnding, random, livedMs] of failures) {
          // A stream that was open cannot be refused any more.
          if (state.is === 'connecting' && livedMs > 0 && ending.ended !== 'refused') {
            tell(opened, random);
            nowMs += livedMs;
          }
          const isGood = pollEnding.ended === 'snapshot' || pollEnding.ended === 'not-modified';
          if (state.is === 'polling' && !isGood) tell(polled(pollEnding), random);
          else tell(ended(ending), random);
          if (isBusy(state)) continue;
          nowMs = Math.max(nowMs, wakeAtMs(state, policy) ?? Number.POSITIVE_INFINITY);
          if (!Number.isFinite(nowMs)) break;
          tell(due, random);
        }
        for (const [index, atMs] of attempts.entries()) {
          expect(attempts.slice(index).filter((other) => other < atMs + 60_000).length).toBeLessThanOrEqual(
            20,
          );
        }
      }),
      { numRuns: 2_000 },
    );
  },
);
