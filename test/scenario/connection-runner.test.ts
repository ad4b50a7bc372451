/** The connection with a fake server and a fake clock: what the pure machine cannot show. */
import { expect, test } from 'vitest';
import { type ConnectionPolicy, DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import type { EventId } from '../../src/core/model.ts';
import type { Message } from '../../src/core/protocol/messages.ts';
import { createConnection } from '../../src/hub/connection.ts';
import type { SnapshotAnswer } from '../../src/transport/contract.ts';
import { createFakeSystem, settle } from '../kit/fake-system.ts';
import { createFakeTransport } from '../kit/fake-transport.ts';

const START_MS = 1_700_000_000_000;
const HELD: EventId = { epoch: 'e1', revision: 7 };
const SNAPSHOT: SnapshotAnswer = { ended: 'snapshot', snapshot: { ...HELD, revision: 8, flags: [] } };
const CURRENT: SnapshotAnswer = { ended: 'not-modified' };
const refused = (status: number, retryAfterMs?: number): SnapshotAnswer => ({
  ended: 'refused',
  status,
  retryAfterMs,
});

interface WorldOptions {
  readonly policy?: Partial<ConnectionPolicy>;
  readonly accessToken?: (why: 'first' | 'rejected') => Promise<string | undefined>;
  /** Answers to polls and probes in order; the last one stays. */
  readonly answers?: readonly SnapshotAnswer[];
}

function createWorld({ policy = {}, answers = [CURRENT], accessToken }: WorldOptions = {}) {
  const system = createFakeSystem({ startMs: START_MS });
  const transport = createFakeTransport();
  const trace: { readonly atMs: number; readonly what: string; readonly facts: object }[] = [];
  const heard: string[] = [];
  const asked: string[] = [];
  transport.answerSnapshots((request) => {
    asked.push(`${system.elapsedMs()} after ${request.after?.revision} with ${request.accessToken}`);
    return answers[asked.length - 1] ?? answers.at(-1) ?? CURRENT;
  });
  const connection = createConnection(
    {
      transport,
      system,
      policy: { ...DEFAULT_POLICY, ...policy },
      url: 'http://server',
      filter: () => undefined,
      after: () => HELD,
      accessToken: accessToken ?? (async () => 'token'),
      trace: (_by, what, facts = {}) => trace.push({ atMs: system.elapsedMs(), what, facts }),
      onMessages: (messages: readonly Message[]) => heard.push(messages.map(({ kind }) => kind).join(' ')),
      onPosition: () => {},
      onConfirmed: () => heard.push('confirmed'),
      onMalformed: () => {},
      onChange: () => {},
    },
    'starting',
  );
  const start = async (): Promise<void> => {
    connection.tell({ type: 'unpause', reason: 'starting' });
    await settle();
  };
  const live = async (): Promise<void> => {
    await start();
    transport.latest().send();
  };
  const transitions = () => trace.filter(({ what }) => what !== 'open');
  return { system, transport, connection, trace, transitions, heard, asked, start, live };
}

const HOUR_MS = 3_600_000;

test('a wall clock that jumps back neither silences the watchdog nor postpones a retry', async () => {
  const { system, transport, connection, live } = createWorld();
  await live();
  system.jump(-HOUR_MS);
  await system.advance(39_000);
  transport.latest().send();
  await system.advance(39_999);
  expect(connection.state.is).toBe('live');
  await system.advance(1);
  expect(connection.status).toMatchObject({ is: 'waiting', reason: 'no byte for too long' });
  system.jump(-HOUR_MS);
  await system.advance(500);
  expect(connection.state.is).toBe('connecting');
  expect(transport.streams.length).toBe(2);
});

test('a wall clock that jumps forward looks like a sleep: it costs one new stream, and a retry comes no later', async () => {
  const { system, transport, connection, live } = createWorld();
  await live();
  system.jump(HOUR_MS);
  await system.advance(10_000);
  transport.latest().send();
  await system.advance(30_000);
  expect(connection.state.is).toBe('live');
  expect(transport.streams.length).toBe(2);
  transport.latest().end();
  await settle();
  system.jump(HOUR_MS);
  await system.advance(500);
  expect(connection.state.is).toBe('connecting');
});

test('moments in the status are on the wall clock, also after it was set', async () => {
  const { system, connection, live, transport } = createWorld();
  await live();
  expect(connection.status).toEqual({ is: 'live', sinceMs: START_MS });
  await system.advance(5_000);
  transport.latest().end();
  await settle();
  expect(connection.status).toMatchObject({ is: 'waiting', retryAtMs: START_MS + 5_500 });
  system.jump(HOUR_MS);
  expect(connection.status).toMatchObject({ is: 'waiting', retryAtMs: START_MS + 5_500 + HOUR_MS });
});

test('after a sleep a stream begins anew, and the trace says why', async () => {
  const { system, transport, connection, transitions, live } = createWorld();
  await live();
  await system.advance(5_000);
  await system.sleep(HOUR_MS);
  expect(transport.streams.length).toBe(2);
  expect(transport.open.length).toBe(1);
  expect(connection.state.is).toBe('connecting');
  expect(transitions().slice(2)).toMatchObject([
    { what: 'connecting', facts: { event: 'woken', why: 'asleep for 3595 s', from: 'live' } },
  ]);
});

test('a sleep that the monotonic clock slept through is noticed by the wall clock', async () => {
  const { system, transport, transitions, live } = createWorld();
  await live();
  await system.advance(5_000);
  system.jump(HOUR_MS);
  await system.advance(5_000);
  await settle();
  expect(transport.streams.length).toBe(2);
  expect(transitions().slice(2)).toEqual([
    {
      atMs: 10_000,
      what: 'live',
      facts: { event: 'doubted', why: 'asleep for 3600 s', reason: 'may be dead' },
    },
    {
      atMs: 10_000,
      what: 'connecting',
      facts: {
        event: 'woken',
        why: 'asleep for 3600 s',
        from: 'live',
        reason: 'woken: asleep for 3600 s',
      },
    },
  ]);
});

test('a byte that was there before the sleep does not vouch for the stream', async () => {
  const { system, transport, live } = createWorld();
  await live();
  await system.advance(5_000);
  system.jump(HOUR_MS);
  transport.latest().send();
  await settle();
  expect(transport.streams.length).toBe(2);
});

test('a stream that brings bytes is left alone where timers are held back', async () => {
  const { system, transport, connection, live } = createWorld();
  await live();
  for (let minute = 0; minute < 10; minute += 1) {
    // Four heartbeats come; no timer does.
    for (let beat = 0; beat < 4; beat += 1) {
      system.holdTimers(15_000);
      transport.latest().send();
    }
    await system.advance(0);
  }
  expect(transport.streams.length).toBe(1);
  expect(connection.state.is).toBe('live');
});

test('no timer runs while paused or stopped', async () => {
  const { system, connection, live } = createWorld();
  await live();
  expect(system.waiting).toBe(2);
  connection.tell({ type: 'pause', reason: 'no active tab' });
  expect(system.waiting).toBe(0);
  connection.tell({ type: 'unpause', reason: 'no active tab' });
  expect(system.waiting).toBe(2);
  connection.tell({ type: 'stop', reason: 'closed' });
  expect(system.waiting).toBe(0);
});

test('a quiet stream lives on, and what it did not say comes by a probe', async () => {
  const { system, transport, connection, heard, asked, live } = createWorld({ answers: [CURRENT, SNAPSHOT] });
  await live();
  transport.latest().listener.quiet();
  await system.advance(80_000);
  expect(asked).toEqual(['40000 after 7 with token', '80000 after 7 with token']);
  expect(heard).toEqual(['confirmed', 'snapshot']);
  await system.advance(HOUR_MS);
  expect(connection.state.is).toBe('live');
  expect(transport.streams.length).toBe(1);
});

test('a probe that fails ends a quiet stream, which is then asked for again', async () => {
  const { system, transport, connection, live } = createWorld({ answers: [refused(503)] });
  await live();
  transport.latest().listener.quiet();
  await system.advance(40_000);
  expect(transport.open.length).toBe(0);
  expect(connection.status).toMatchObject({
    is: 'waiting',
    reason: 'a probe failed: the server answers 503',
  });
  await system.advance(500);
  expect(transport.open.length).toBe(1);
});

test('a probe renews the token once', async () => {
  const why: string[] = [];
  const { system, transport, connection, asked, live } = createWorld({
    answers: [refused(401), CURRENT],
    accessToken: async (reason) => {
      why.push(reason);
      return reason === 'first' ? 'old' : 'new';
    },
  });
  await live();
  transport.latest().listener.quiet();
  await system.advance(40_000);
  expect(asked).toEqual(['40000 after 7 with old', '40000 after 7 with new']);
  expect(connection.state.is).toBe('live');
});

test('where streams are off it polls, takes in what is new, and says how a poll failed', async () => {
  const { system, transport, connection, heard, asked, start } = createWorld({
    policy: { streams: false },
    answers: [SNAPSHOT, refused(503, 60_000), CURRENT],
  });
  await start();
  expect(heard).toEqual(['snapshot']);
  expect(connection.status).toEqual({
    is: 'polling',
    nextPollAtMs: START_MS + 30_000,
    reason: 'streams are switched off',
  });
  await system.advance(30_000);
  expect(connection.status).toEqual({
    is: 'polling',
    nextPollAtMs: START_MS + 30_000 + 60_500,
    reason: 'streams are switched off; last poll: the server answers 503',
  });
  await system.advance(60_500);
  expect(heard).toEqual(['snapshot', 'confirmed']);
  expect(connection.status).toMatchObject({ reason: 'streams are switched off' });
  expect(asked.length).toBe(3);
  expect(transport.streams.length).toBe(0);
});

test('a poll renews the token once', async () => {
  const { asked, start } = createWorld({
    policy: { streams: false },
    answers: [refused(401)],
    accessToken: async (why) => (why === 'first' ? 'old' : 'new'),
  });
  await start();
  expect(asked).toEqual(['0 after 7 with old', '0 after 7 with new']);
});

test('a poll without an answer is ended in time, and the next one is made', async () => {
  const { system, connection, transport, start } = createWorld({ policy: { streams: false } });
  const signals: AbortSignal[] = [];
  transport.answerSnapshots(({ signal }) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  await start();
  await system.advance(15_000);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  expect(connection.status).toMatchObject({
    reason: 'streams are switched off; last poll: the server did not answer',
  });
  await system.advance(500);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
});

test('a poll under way is not lost when there is no stream to drop', async () => {
  const { connection, transport, heard, start } = createWorld({ policy: { streams: false } });
  let answer: (snapshot: SnapshotAnswer) => void = () => {};
  transport.answerSnapshots(() => new Promise((resolve) => (answer = resolve)));
  await start();
  connection.dropStream('changes are missing');
  answer(SNAPSHOT);
  await settle();
  expect(heard).toEqual(['snapshot']);
});

test('what a poll brings after a pause is not taken in', async () => {
  const { connection, transport, heard, start } = createWorld({ policy: { streams: false } });
  let answer: (snapshot: SnapshotAnswer) => void = () => {};
  transport.answerSnapshots(() => new Promise((resolve) => (answer = resolve)));
  await start();
  connection.tell({ type: 'pause', reason: 'forgotten' });
  answer(SNAPSHOT);
  await settle();
  expect(heard).toEqual([]);
  expect(connection.status).toEqual({ is: 'paused', reasons: ['forgotten'] });
});

test('a token that comes after the attempt was given up opens no stream', async () => {
  let give: (token: string) => void = () => {};
  const { system, connection, transport, start } = createWorld({
    accessToken: () => new Promise((resolve) => (give = resolve)),
  });
  await start();
  await system.advance(15_000);
  expect(connection.status).toMatchObject({ is: 'waiting', reason: 'the server did not answer' });
  give('late');
  await settle();
  expect(transport.streams.length).toBe(0);
  expect(connection.streams).toBe(0);
});

test('a stream that we drop is asked for again after a delay, and is not held against the network', async () => {
  const { system, connection, transport, live } = createWorld();
  await live();
  connection.dropStream('changes are missing');
  expect(transport.open.length).toBe(0);
  expect(connection.state).toMatchObject({ is: 'waiting', reason: 'changes are missing', shortLived: 0 });
  connection.dropStream('changes are missing');
  expect(connection.state.failures).toBe(1);
  await system.advance(500);
  expect(transport.open.length).toBe(1);
});

test('a goodbye of the server is kept', async () => {
  const { system, connection, transport, live } = createWorld();
  await live();
  transport.latest().send({ kind: 'bye', retryAfterMs: 9_000, reason: 'deploy' });
  transport.latest().end();
  await settle();
  expect(connection.status).toMatchObject({ is: 'waiting', retryAtMs: START_MS + 9_500 });
  await system.advance(9_500);
  expect(transport.open.length).toBe(1);
});

test('every transition is in the trace, with its reason', async () => {
  const { system, transport, connection, transitions, live } = createWorld();
  await live();
  transport.latest().end({ ended: 'refused', status: 500, retryAfterMs: undefined });
  await settle();
  connection.tell({ type: 'woken', why: 'online' });
  await system.advance(125);
  connection.tell({ type: 'pause', reason: 'no active tab' });
  connection.tell({ type: 'unpause', reason: 'no active tab' });
  await system.advance(125);
  transport.latest().end({ ended: 'refused', status: 204, retryAfterMs: undefined });
  await settle();
  const lines = transitions().map(({ atMs, what, facts }) => `${atMs} ${what} ${JSON.stringify(facts)}`);
  expect(lines).toEqual([
    '0 connecting {"event":"unpause","why":"starting","from":"paused","reason":"no longer: starting"}',
    '0 live {"event":"opened","from":"connecting"}',
    '0 waiting {"event":"ended","why":"refused","from":"live","reason":"the server answers 500"}',
    '0 waiting {"event":"woken","why":"online","reason":"the server answers 500","wokenBy":"woken: online"}',
    '125 connecting {"event":"due","from":"waiting","reason":"woken: online"}',
    '125 paused {"event":"pause","why":"no active tab","from":"connecting","reason":"no active tab"}',
    '125 waiting {"event":"unpause","why":"no active tab","from":"paused","reason":"attempts have failed lately","wokenBy":"no longer: no active tab"}',
    '250 connecting {"event":"due","from":"waiting","reason":"no longer: no active tab"}',
    '250 stopped {"event":"ended","why":"refused","from":"connecting","reason":"the server answers 204"}',
  ]);
});

test('a server that is down for a minute: few attempts, and the first one after `online` finds it back within two seconds', async () => {
  const { system, transport, connection, trace, live } = createWorld();
  await live();
  await system.advance(70_000);
  transport.latest().end();
  await settle();
  const downAtMs = system.elapsedMs();
  while (system.elapsedMs() < downAtMs + 60_000) {
    if (connection.state.is === 'connecting') {
      transport.latest().end({ ended: 'refused', status: 502, retryAfterMs: undefined });
    }
    await system.advance(250);
  }
  const opens = trace.filter(({ what, atMs }) => what === 'open' && atMs > downAtMs + 10_000);
  expect(opens.length).toBeLessThanOrEqual(6);
  connection.tell({ type: 'woken', why: 'online' });
  await system.advance(250);
  transport.latest().send();
  expect(connection.state.is).toBe('live');
});

test('a snapshot request without a byte for too long fails; one whose bytes keep coming is waited for', async () => {
  const { system, transport, connection, start } = createWorld();
  await start();
  let progress = (): void => {};
  let answer = (_: SnapshotAnswer): void => {};
  transport.answerSnapshots(
    ({ signal, onProgress = () => {} }) =>
      new Promise((resolve) => {
        progress = onProgress;
        answer = resolve;
        signal.addEventListener('abort', () => resolve({ ended: 'aborted' }));
      }),
  );
  const slow = connection.fetchSnapshot('whole');
  for (let chunk = 0; chunk < 10; chunk += 1) {
    await system.advance(14_000);
    progress();
  }
  answer(SNAPSHOT);
  expect(await slow).toEqual(SNAPSHOT);
  const hanging = connection.fetchSnapshot('whole');
  await system.advance(15_000);
  expect(await hanging).toMatchObject({
    ended: 'failed',
    error: { message: expect.stringContaining('did not answer') },
  });
});
