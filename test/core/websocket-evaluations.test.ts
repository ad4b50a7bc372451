/** Questions on a socket that comes and goes, in a time of the test's own: each settles once, and the connection is kept just long enough. */
import { expect, test } from 'vitest';
import { FlagError } from '../../src/core/errors.ts';
import type { EvaluationResult } from '../../src/core/evaluate/evaluation.ts';
import { createEvaluations } from '../../src/standalone/evaluations.ts';

const RESULT: EvaluationResult = {
  flagID: 1,
  flagKey: 'a',
  flagSnapshotID: 2,
  segmentID: null,
  variantID: null,
  variantKey: null,
  variantAttachment: null,
  reason: 'NO_MATCH',
  entityID: '',
  entityType: '',
};

function start() {
  const trace: string[] = [];
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly call: () => void }[] = [];
  const evaluations = createEvaluations({
    timeoutMs: 10_000,
    describeConnection: () => 'waiting',
    keepOpen: () => {
      trace.push('keep open');
      return () => trace.push('let go');
    },
    system: {
      after: (delayMs, call) => {
        const timer = { atMs: nowMs + delayMs, call };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
    },
  });
  return {
    evaluations,
    trace,
    timers: () => timers.length,
    open: () => evaluations.opened((text) => trace.push(`sent ${JSON.parse(text).id}`)),
    answer: (id: string) => evaluations.received({ kind: 'evaluation_result', id, result: RESULT }),
    ask: (flagKey = 'a') =>
      void evaluations.ask({ flagKey }).then(
        () => trace.push('answered'),
        ({ code }: FlagError) => trace.push(code),
      ),
    async pass(ms: number) {
      nowMs += ms;
      for (const timer of timers.filter(({ atMs }) => atMs <= nowMs)) {
        timers = timers.filter((other) => other !== timer);
        timer.call();
      }
      await settled();
    },
  };
}

const settled = () => new Promise(setImmediate);

test('a question waits for the socket, and the connection is kept for half a minute after the last answer', async () => {
  const { ask, open, answer, pass, trace, timers } = start();
  ask();
  open();
  answer('evaluation-1');
  await pass(29_999);
  ask();
  answer('evaluation-2');
  await pass(29_999);
  expect(trace).toEqual(['keep open', 'sent evaluation-1', 'answered', 'sent evaluation-2', 'answered']);
  await pass(1);
  expect([trace.at(-1), timers()]).toEqual(['let go', 0]);
  ask();
  expect(trace.slice(-2)).toEqual(['keep open', 'sent evaluation-3']);
});

test('a question that was not sent yet has lost nothing by a cut; one that was is sent twice at most', async () => {
  const { ask, open, evaluations, trace } = start();
  ask();
  evaluations.closed('lost');
  evaluations.closed('lost');
  open();
  evaluations.closed('lost');
  open();
  evaluations.closed('left');
  open();
  evaluations.closed('lost');
  await settled();
  expect(trace).toEqual([
    'keep open',
    'sent evaluation-1',
    'sent evaluation-1',
    'sent evaluation-1',
    'unreachable',
  ]);
  open();
  expect(trace.at(-1)).toBe('unreachable');
});

test('a deadline passes whatever the connection does, and an answer behind it goes to nobody', async () => {
  const { ask, open, answer, pass, trace } = start();
  ask();
  open();
  await pass(10_000);
  answer('evaluation-1');
  answer('evaluation-1');
  await settled();
  expect(trace).toEqual(['keep open', 'sent evaluation-1', 'timeout']);
});

test('an error without an id, or with one that nobody waits for, settles nothing', async () => {
  const { ask, open, evaluations, trace } = start();
  ask();
  open();
  for (const id of [undefined, 'evaluation-9', '__proto__']) {
    evaluations.received({ kind: 'error', id, code: 'invalid_data', message: 'What?' });
  }
  await settled();
  expect(trace).toEqual(['keep open', 'sent evaluation-1']);
  evaluations.received({ kind: 'error', id: 'evaluation-1', code: 'invalid_data', message: 'What?' });
  await settled();
  expect(trace.at(-1)).toBe('invalid_data');
});

test('when the connection gives up every question fails, nothing is kept, and no timer is left', async () => {
  const { ask, evaluations, trace, timers } = start();
  ask('a');
  ask('b');
  evaluations.fail(new FlagError('unreachable', 'Given up.'));
  await settled();
  expect(trace).toEqual(['keep open', 'let go', 'unreachable', 'unreachable']);
  expect(timers()).toBe(0);
  ask();
  expect(trace.at(-1)).toBe('keep open');
});
