/** Life without a heartbeat or without a stream: quiet servers are probed, and where there are no streams there are polls. */
import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import { wakeAtMs } from '../../src/core/connection/states.ts';
import {
  alive,
  asked,
  attach,
  detach,
  doubted,
  due,
  opened,
  pollCurrent,
  polled,
  pollRefused,
  probed,
  quiet,
  run,
  type Step,
  woken,
} from './connection-kit.ts';

const quietStream: Step[] = [
  [0, attach],
  [0, opened],
  [1, quiet],
];

test('a quiet stream is never dropped for silence: the server is probed instead, again and again', () => {
  const probes = Array.from({ length: 100 }, (_, index) => (index + 1) * 40_000).flatMap((atMs): Step[] => [
    [atMs, due],
    [atMs, probed({ ended: 'not-modified' })],
  ]);
  const { trace, state } = run([...quietStream, ...probes]);
  expect(state.is).toBe('live');
  expect(new Set(trace.slice(3).map((line) => line.split(':')[1]))).toEqual(new Set(['>probe']));
  expect(trace.length - 3).toBe(100);
});

test.each<[string, Step[], string]>([
  [
    'that is refused',
    [[40_100, probed({ ended: 'refused', status: 503, retryAfterMs: 9_000 })]],
    'a probe failed: the server answers 503',
  ],
  [
    'that breaks',
    [[40_100, probed({ ended: 'failed', error: { message: 'reset' } })]],
    'a probe failed: reset',
  ],
  ['without an answer', [[55_000, due]], 'the server did not answer a probe'],
])('a probe %s ends the stream like a cut', (_, steps, reason) => {
  const { state, trace } = run([...quietStream, [40_000, due], ...steps]);
  expect(trace.slice(3).map((line) => line.split(':')[1])).toEqual(['>probe', '>close', 'waiting']);
  expect(state).toMatchObject({ is: 'waiting', reason, failures: 1 });
});

test('a probe that fails says nothing when a byte has come meanwhile', () => {
  const { state } = run([
    ...quietStream,
    [40_000, due],
    [40_050, alive],
    [40_100, probed({ ended: 'refused', status: 503, retryAfterMs: undefined })],
  ]);
  expect(state.is).toBe('live');
});

test('a quiet stream is probed, not ended, when it is woken after a while; doubted, it begins anew', () => {
  expect(run([...quietStream, [20_000, woken]]).trace.slice(3)).toEqual(['20000:>probe']);
  expect(run([...quietStream, [20_000, woken], [20_001, woken]]).trace.slice(3)).toEqual(['20000:>probe']);
  expect(run([...quietStream, [2_000, doubted], [2_001, woken]]).state.is).toBe('connecting');
});

const policy = { streams: false };
const lastLine = (steps: readonly Step[]) => run(steps, { policy }).trace.at(-1);

test('without streams it polls at once, then every half minute, from half to one and a half of it', () => {
  const steps: Step[] = [
    [0, attach],
    [10, pollCurrent],
  ];
  expect(run(steps, { policy }).trace).toEqual(['0:>poll', '0:polling']);
  const nextMs = (random: number) => wakeAtMs(run(steps, { policy, random }).state, DEFAULT_POLICY);
  expect([nextMs(0), nextMs(0.5), nextMs(0.9999)]).toEqual([15_010, 30_010, 45_007]);
  expect(lastLine([...steps, [30_010, due]])).toBe('30010:>poll');
});

test('a failed poll backs off and says why; a good one forgets it', () => {
  const failed = run(
    [
      [0, attach],
      [0, pollRefused(503)],
    ],
    { policy },
  ).state;
  expect(failed).toMatchObject({ is: 'polling', failures: 1, trouble: 'the server answers 503' });
  expect(wakeAtMs(failed, DEFAULT_POLICY)).toBe(500);
  const good = run(
    [
      [500, due],
      [501, polled({ ended: 'snapshot' })],
    ],
    { policy, from: failed },
  ).state;
  expect(good).toMatchObject({ failures: 0, trouble: undefined });
});

test.each([
  [503, 60_000],
  [403, 1_500_000],
])(
  'a poll refused with %i keeps away for as long as Retry-After says, woken or not',
  (status, retryAfterMs) => {
    const { state } = run(
      [
        [0, attach],
        [0, pollRefused(status, retryAfterMs)],
        [100, woken],
        [200, detach],
        [300, attach],
      ],
      { policy, random: 0 },
    );
    expect(wakeAtMs(state, DEFAULT_POLICY)).toBe(retryAfterMs);
  },
);

test('polls that are refused for good go on slowly, or later when the server says so', () => {
  const nextMs = (retryAfterMs?: number) => {
    const { state } = run(
      [
        [0, attach],
        [0, pollRefused(403, retryAfterMs)],
      ],
      { policy, random: 0 },
    );
    return wakeAtMs(state, DEFAULT_POLICY);
  };
  expect([nextMs(), nextMs(60_000), nextMs(1_500_000)]).toEqual([300_000, 300_000, 1_500_000]);
});

test('gives up after so many failed polls as are allowed', () => {
  const few = { ...policy, maxAttempts: 1 };
  const { state } = run(
    [
      [0, attach],
      [0, pollRefused(500)],
      [1_000, due],
      [1_000, pollRefused(500)],
    ],
    {
      policy: few,
    },
  );
  expect(state).toMatchObject({ is: 'stopped', reason: 'gave up after 1 attempts: the server answers 500' });
});

test('a server that fails for long is polled no more often than one that answers', () => {
  let nowMs = 0;
  let state = run([[0, attach]], { policy }).state;
  for (let poll = 0; poll < 20; poll += 1) {
    state = run([[nowMs, pollRefused(500)]], { policy, from: state, random: 0 }).state;
    nowMs = wakeAtMs(state, DEFAULT_POLICY) ?? Number.NaN;
    state = run([[nowMs, due]], { policy, from: state }).state;
  }
  const next = run([[nowMs, pollRefused(500)]], { policy, from: state, random: 0 }).state;
  expect((wakeAtMs(next, DEFAULT_POLICY) ?? 0) - nowMs).toBe(15_000);
});

test('a poll renews the token once after 401, then backs off', () => {
  const { trace, state } = run(
    [
      [0, attach],
      [1, pollRefused(401)],
      [2, pollRefused(401)],
    ],
    { policy },
  );
  expect(trace).toEqual(['0:>poll', '0:polling', '1:>poll with a new token']);
  expect(wakeAtMs(state, DEFAULT_POLICY)).toBe(502);
});

test('a poll that is answered with 204 stops; one that gets no answer is ended and counts as failed', () => {
  expect(
    lastLine([
      [0, attach],
      [1, pollRefused(204)],
    ]),
  ).toBe('1:stopped');
  const { trace, state } = run(
    [
      [0, attach],
      [14_999, due],
      [15_000, due],
    ],
    { policy },
  );
  expect(trace.slice(2)).toEqual(['15000:>close']);
  expect(state).toMatchObject({ is: 'polling', trouble: 'the server did not answer', failures: 1 });
});

test('polls at once when asked, and soon when woken', () => {
  const current: Step[] = [
    [0, attach],
    [10, pollCurrent],
  ];
  expect(lastLine([...current, [20, asked]])).toBe('20:>poll');
  const { state } = run([...current, [20, woken]], { policy });
  expect(wakeAtMs(state, DEFAULT_POLICY)).toBe(145);
  expect(lastLine([...current, [20, woken], [145, due]])).toBe('145:>poll');
});

test('a poll under way when the network goes and returns is made anew', () => {
  expect(
    run(
      [
        [0, attach],
        [100, doubted],
        [200, woken],
      ],
      { policy },
    ).trace.slice(2),
  ).toEqual(['200:>close', '200:>poll']);
});

test('what is under way ends with a pause, polls too', () => {
  expect(
    run(
      [
        [0, attach],
        [100, detach],
      ],
      { policy },
    ).trace.slice(2),
  ).toEqual(['100:>close', '100:paused']);
});

test('a poll whose answer is still coming is not given up, however long it takes', () => {
  const { state } = run(
    [
      [0, attach],
      [14_000, alive],
      [28_000, alive],
      [42_999, due],
    ],
    { policy: { streams: false } },
  );
  expect(state).toMatchObject({ is: 'polling', askedAtMs: 28_000, failures: 0 });
});
