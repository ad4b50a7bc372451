import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import { wakeAtMs } from '../../src/core/connection/states.ts';
import {
  alive,
  asked,
  attach,
  closed,
  detach,
  doubted,
  due,
  ended,
  opened,
  refused,
  run,
  type Step,
  woken,
} from './connection-kit.ts';

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
    [30_000, alive],
    [40_000, due],
    [69_999, due],
    [70_000, due],
  ]);
  expect(trace.slice(2)).toEqual(['0:live', '70000:>close', '70000:waiting']);
});

test('gives up an attempt that gets no answer', () => {
  const { trace } = run([
    [0, attach],
    [14_999, due],
    [15_000, due],
  ]);
  expect(trace.slice(2)).toEqual(['15000:>close', '15000:waiting']);
});

test('asks for a new token once after 401, then backs off; a stream that opens earns another one', () => {
  const { trace } = run([
    [0, attach],
    [1, refused(401)],
    [2, refused(401)],
    [502, due],
    [503, opened],
    [5_000, closed],
    [7_000, due],
    [7_001, refused(401)],
  ]);
  expect(trace).toEqual([
    '0:>open',
    '0:connecting',
    '1:>open with a new token',
    '2:waiting',
    '502:>open',
    '502:connecting',
    '503:live',
    '5000:waiting',
    '7000:>open',
    '7000:connecting',
    '7001:>open with a new token',
  ]);
});

test.each([403, 404, 410])('after %i asks for a snapshot at once, and for the stream slowly', (status) => {
  const { state, trace } = run([
    [0, attach],
    [1, refused(status)],
    [2, { type: 'polled', ending: { ended: 'snapshot' } }],
  ]);
  expect(trace.slice(2)).toEqual(['1:>poll', '1:polling']);
  expect(state).toMatchObject({ is: 'polling', reason: `the server answers ${status}` });
  expect(wakeAtMs(state, DEFAULT_POLICY)).toBe(1 + 2 * DEFAULT_POLICY.slowPollMs);
});

test.each([
  [0, 1],
  [0.999, 3],
])('the slow pace lies between one and three times five minutes (chance %d)', (random, times) => {
  const steps: Step[] = [
    [0, attach],
    [0, refused(403)],
    [0, { type: 'polled', ending: { ended: 'not-modified' } }],
  ];
  const atMs = wakeAtMs(run(steps, { random }).state, DEFAULT_POLICY) ?? 0;
  expect(Math.abs(atMs - times * DEFAULT_POLICY.slowPollMs)).toBeLessThan(1_000);
});

test('stops after 204 until somebody asks', () => {
  const { trace } = run([
    [0, attach],
    [1, refused(204)],
    [2, woken],
    [3, asked],
  ]);
  expect(trace.slice(2)).toEqual(['1:stopped', '3:>open', '3:connecting']);
});

test.each([429, 500, 503])('backs off after %i, never sooner than Retry-After says', (status) => {
  const { state } = run([
    [0, attach],
    [0, refused(status, 20_000)],
  ]);
  expect(state).toMatchObject({ is: 'waiting', retryAtMs: 20_500, reason: `the server answers ${status}` });
});

test('comes back no sooner than the goodbye of the server asks, and asks it only once', () => {
  const goodbye: Step[] = [
    [0, attach],
    [0, opened],
    [100, { type: 'bye', delayMs: 7_000 }],
    [200, closed],
  ];
  expect(run(goodbye).state).toMatchObject({ is: 'waiting', retryAtMs: 200 + 7_000 + 500, shortLived: 0 });
  const later = run([...goodbye, [7_700, due], [7_700, closed]]);
  expect(later.state).toMatchObject({ is: 'waiting', retryAtMs: 7_700 + 1_000 });
});

test('keeps to what `retry:` asked for after every end, until it asks for something else', () => {
  const { state } = run([
    [0, attach],
    [0, opened],
    [100, { type: 'retry-hint', delayMs: 3_000 }],
    [2_000, closed],
    [5_500, due],
    [5_500, closed],
  ]);
  expect(state).toMatchObject({ is: 'waiting', retryAtMs: 5_500 + 3_000 + 1_000 });
});

test.each<[string, Step[]]>([
  ['when it is woken', [[1_000, woken]]],
  [
    'when the last tab goes and comes back',
    [
      [500, detach],
      [1_000, attach],
    ],
  ],
])('a floor that the server gave holds %s', (_, steps) => {
  const { state } = run([[0, attach], [0, refused(503, 20_000)], ...steps], { random: 0 });
  expect(state).toMatchObject({ is: 'waiting', retryAtMs: 20_000 });
});

test('after a goodbye, failures of before do not postpone the next attempt', () => {
  const failures = [0, 60_000, 120_000, 180_000].flatMap((atMs): Step[] => [
    [atMs, due],
    [atMs, refused(503)],
  ]);
  const { state } = run([
    [0, attach],
    ...failures,
    [240_000, due],
    [240_010, opened],
    [240_100, { type: 'bye', delayMs: 2_000 }],
    [240_200, closed],
  ]);
  expect(state).toMatchObject({ is: 'waiting', retryAtMs: 240_200 + 2_000 + 500, failures: 1 });
});

test('a goodbye holds when the stream is ended by us before it is by the server', () => {
  const { state } = run(
    [
      [0, attach],
      [0, opened],
      [100, { type: 'bye', delayMs: 7_000 }],
      [200, detach],
      [300, attach],
    ],
    { random: 0 },
  );
  expect(state).toMatchObject({ is: 'waiting', retryAtMs: 7_200, reason: 'the server asked for time' });
});

test('a stream whose server has said goodbye is not begun anew by a wake', () => {
  const { state } = run([
    [0, attach],
    [0, opened],
    [100, { type: 'bye', delayMs: 7_000 }],
    [200, doubted],
    [300, woken],
  ]);
  expect(state.is).toBe('live');
});

test('after failures a return of tabs is an attempt soon, not one per tab', () => {
  const { trace } = run([
    [0, attach],
    [0, closed],
    [100, detach],
    [101, attach],
    [102, detach],
    [103, attach],
    [228, due],
  ]);
  expect(trace.filter((line) => line.includes('>'))).toEqual(['0:>open', '228:>open']);
});

test('backs off when the answer is not an event stream', () => {
  const { state } = run([
    [0, attach],
    [0, ended({ ended: 'wrong-content', contentType: 'text/html' })],
  ]);
  expect(state).toMatchObject({ is: 'waiting', reason: 'the answer is text/html, not an event stream' });
});

test('gives up after so many attempts as are allowed, and starts over when asked', () => {
  const steps: Step[] = [
    [0, attach],
    [0, refused(500)],
    [1_000, due],
    [1_000, refused(500)],
  ];
  const { state } = run(steps, { policy: { maxAttempts: 1 } });
  expect(state).toMatchObject({ is: 'stopped', reason: 'gave up after 1 attempts: the server answers 500' });
  const again = run([[2_000, asked]], { policy: { maxAttempts: 1 }, from: state });
  expect(again.state).toMatchObject({ is: 'connecting', failures: 0 });
});

const threeCuts: Step[] = [
  [0, attach],
  ...[0, 10_000, 40_000].flatMap((atMs): Step[] => [
    [atMs, due],
    [atMs, opened],
    [atMs + 100, closed],
  ]),
];

test('polls when three streams in a row are cut at once, and streams again later', () => {
  const cut = run(threeCuts);
  expect(cut.trace.at(-1)).toBe('40100:polling');
  expect(wakeAtMs(cut.state, DEFAULT_POLICY)).toBe(40_600);
  const { trace } = run(
    [
      [40_600, due],
      [40_700, { type: 'polled', ending: { ended: 'snapshot' } }],
      [340_100, due],
      [340_200, opened],
      [340_300, closed],
    ],
    { from: cut.state },
  );
  // One more that is cut at once is enough to poll again.
  expect(trace).toEqual([
    '40600:>poll',
    '340100:>open',
    '340100:connecting',
    '340200:live',
    '340300:polling',
  ]);
});

test('streams that the server ends with a goodbye, or that we drop, are not taken for a network that cuts', () => {
  const onPurpose = [0, 10_000, 40_000, 90_000].flatMap((atMs): Step[] => [
    [atMs, due],
    [atMs, opened],
    [atMs + 50, atMs === 40_000 ? alive : { type: 'bye', delayMs: 0 }],
    [atMs + 100, atMs === 40_000 ? ended({ ended: 'dropped', reason: 'changes are missing' }) : closed],
  ]);
  expect(run([[0, attach], ...onPurpose]).state.is).toBe('waiting');
});

test('forgets its failures after a stream that lived for a minute, however it ended', () => {
  const lived: Step[] = [
    [0, attach],
    [0, refused(500)],
    [500, due],
    [600, opened],
  ];
  expect(run([...lived, [60_600, closed]]).state).toMatchObject({ is: 'waiting', failures: 1 });
  expect(run([...lived, [60_600, detach]]).state).toMatchObject({ is: 'paused', failures: 0 });
  expect(run([...lived, [60_599, closed]]).state).toMatchObject({ is: 'waiting', failures: 2 });
});

test('tries soon when it is woken, and the attempt knows why', () => {
  const steps: Step[] = [
    [0, attach],
    [0, refused(500)],
    [10, woken],
  ];
  expect(run(steps, { random: 0.999 }).state).toMatchObject({ is: 'waiting', retryAtMs: 260 });
  expect(run([...steps, [260, due]], { random: 0.999 }).state).toMatchObject({
    is: 'connecting',
    reason: 'woken: online',
  });
});

test('leaves a healthy stream alone when it is woken, and begins anew when the stream has been silent', () => {
  const live: Step[] = [
    [0, attach],
    [0, opened],
  ];
  expect(run([...live, [10_000, woken]]).state.is).toBe('live');
  expect(run([...live, [20_000, woken]]).trace.slice(3)).toEqual([
    '20000:>close',
    '20000:>open',
    '20000:connecting',
  ]);
});

test('offline ends nothing; the first wake after it begins anew unless a byte has come', () => {
  const offline: Step[] = [
    [0, attach],
    [0, opened],
    [5_000, doubted],
  ];
  expect(run(offline).trace).toEqual(['0:>open', '0:connecting', '0:live']);
  expect(run([...offline, [5_100, woken]]).trace.slice(3)).toEqual([
    '5100:>close',
    '5100:>open',
    '5100:connecting',
  ]);
  expect(run([...offline, [5_050, alive], [5_100, woken]]).state.is).toBe('live');
});

test.each<[string, Step[], number]>([
  [
    'at once when it went offline meanwhile',
    [
      [100, doubted],
      [200, woken],
    ],
    2,
  ],
  ['when it is old', [[5_000, woken]], 2],
  ['not when it is young', [[4_999, woken]], 1],
  [
    'once, however many tabs say so',
    [
      [5_000, woken],
      [5_001, woken],
      [5_002, woken],
    ],
    2,
  ],
])('an attempt under way is made anew by a wake: %s', (_, steps, opens) => {
  const { trace } = run([[0, attach], ...steps]);
  expect(trace.filter((line) => line.endsWith('>open')).length).toBe(opens);
});

test.each([
  ['for good', refused(204)],
  ['for want of a token', refused(401)],
])('a goodbye is forgotten with its stream, also when that ends %s', (_, end) => {
  const { state } = run([
    [0, attach],
    [0, opened],
    [100, { type: 'bye', delayMs: 7_000 }],
    [200, end],
  ]);
  expect(state.byeMs).toBeUndefined();
});
