/** How `watch` follows a server: against a scripted transport and a clock that never waits. */
import { expect, test } from 'vitest';
import { type Follow, followFlags } from '../../src/cli/follow-flags.ts';
import { traceTransport } from '../../src/cli/trace-transport.ts';
import { DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import { FlagError } from '../../src/core/errors.ts';
import { encodeEventId } from '../../src/core/protocol/event-id.ts';
import type { Message } from '../../src/core/protocol/messages.ts';
import type { StreamEnd } from '../../src/transport/contract.ts';
import { createFakeSystem } from '../kit/fake-system.ts';
import { createFakeTransport } from '../kit/fake-transport.ts';

const snapshot = (revision: number, epoch = 'e'): Message => ({
  kind: 'snapshot',
  snapshot: { epoch, revision, flags: [] },
  timestampMs: 0,
});

const change = (revision: number): Message => ({
  kind: 'change',
  change: {
    type: 'FLAG_DELETED',
    epoch: 'e',
    revision,
    timestampMs: 0,
    flagID: 1,
    flagKey: 'a',
    flag: null,
  },
});

/** A watch that has sent its first request, and everything that it says, in order. */
async function startWatch(filter?: Follow['request']['filter']) {
  const system = createFakeSystem();
  const transport = createFakeTransport();
  const stop = new AbortController();
  const said: string[] = [];
  const traced: string[] = [];
  const trace: Follow['trace'] = (by, what, facts) =>
    traced.push(`${by} ${what} ${JSON.stringify(facts ?? {})}`);
  const end = followFlags({
    transport: traceTransport(transport, system, trace),
    system,
    policy: DEFAULT_POLICY,
    request: { url: 'http://server', accessToken: undefined, filter, signal: stop.signal },
    onReduced: ({ held }) => said.push(`holds ${held?.revision}`),
    onStatus: (status) => {
      if (status.is !== 'waiting') said.push(status.is);
      else said.push(`${status.reason}, waits ${status.retryAtMs - system.nowMs()}`);
    },
    trace,
  }).then(
    () => 'done',
    (error: unknown) => (error instanceof FlagError ? error.code : error),
  );
  await system.advance(0);
  return {
    system,
    transport,
    said,
    traced,
    end,
    stop: () => stop.abort(),
    /** What each stream so far was asked to go on from. */
    asked: () =>
      transport.streams.map(({ request: { after } }) => (after ? encodeEventId(after) : 'nothing')),
    /** Ends the stream; the next one comes after the first delay. */
    async endStream(how?: StreamEnd) {
      transport.latest().end(how);
      await system.advance(1_000);
    },
  };
}

test('prints what comes and resumes by id after the server closed the stream', async () => {
  const watch = await startWatch();
  watch.transport.latest().send(snapshot(3), change(4));
  await watch.system.advance(2_000);
  await watch.endStream();
  watch.transport.latest().send(change(5));
  expect(watch.said).toEqual([
    'connecting',
    'live',
    'holds 3',
    'holds 4',
    'the server closed the stream, waits 500',
    'connecting',
    'live',
    'holds 5',
  ]);
  expect(watch.asked()).toEqual(['nothing', 'e.4']);
});

test('ends without an error when it is told to, whatever it is doing', async () => {
  const live = await startWatch();
  live.transport.latest().send(snapshot(3));
  live.stop();
  expect(await live.end).toBe('done');
  expect(live.transport.open).toEqual([]);
  const waiting = await startWatch();
  waiting.transport.latest().end();
  await waiting.system.advance(0);
  waiting.stop();
  expect(await waiting.end).toBe('done');
  await waiting.system.advance(3_600_000);
  expect(waiting.transport.streams).toHaveLength(1);
});

test.each<[string, (watch: Awaited<ReturnType<typeof startWatch>>) => void]>([
  ['a change is missing', ({ transport }) => transport.latest().send(change(5))],
  ['a change is missing', ({ transport }) => transport.latest().beat({ epoch: 'e', revision: 5 })],
  ['a change is missing', ({ transport }) => transport.latest().beat({ epoch: 'other', revision: 3 })],
  [
    'the server sent something wrong: flag.id must be a number.',
    ({ transport }) =>
      transport.latest().listener.malformed(new FlagError('invalid_data', 'flag.id must be a number.')),
  ],
])('starts over with a snapshot when %s, and hears no more of that stream', async (reason, happen) => {
  const watch = await startWatch();
  watch.transport.latest().send(snapshot(3));
  happen(watch);
  expect(watch.said.at(-1)).toMatch(`${reason}, starting over, waits`);
  watch.transport.latest().send(change(4));
  await watch.system.advance(1_000);
  expect(watch.asked()).toEqual(['nothing', 'nothing']);
  watch.transport.latest().send(snapshot(5));
  expect(watch.said.filter((words) => words.startsWith('holds'))).toEqual(['holds 3', 'holds 5']);
  await watch.endStream();
  expect(watch.asked().at(-1)).toBe('e.5');
  expect(watch.traced.join('\n')).toContain('flags resync {"reason":');
});

test('a heartbeat that says what is held changes nothing', async () => {
  const watch = await startWatch();
  watch.transport.latest().send(snapshot(3));
  const before = [...watch.said];
  watch.transport.latest().beat({ epoch: 'e', revision: 3 });
  expect(watch.said).toEqual(before);
  expect(watch.traced).toContain('stream position {"epoch":"e","revision":3}');
});

test.each<[string, (watch: Awaited<ReturnType<typeof startWatch>>) => void]>([
  ['snapshot', ({ transport }) => transport.latest().send(snapshot(2))],
  ['heartbeat', ({ transport }) => transport.latest().beat({ epoch: 'e', revision: 2 })],
])('a server whose %s is behind is left and not believed', async (_, happen) => {
  const watch = await startWatch();
  watch.transport.latest().send(snapshot(3));
  happen(watch);
  expect(watch.said.slice(-2)).toEqual([
    'holds 3',
    expect.stringMatching('^the server is at revision 2, behind what is held'),
  ]);
  await watch.system.advance(1_000);
  expect(watch.asked()).toEqual(['nothing', 'e.3']);
});

test('takes a jump of revisions for what it is when a filter leaves some out', async () => {
  const watch = await startWatch({ tags: ['a'] });
  watch.transport.latest().send(snapshot(3), change(7));
  watch.transport.latest().beat({ epoch: 'e', revision: 9 });
  expect(watch.said.slice(2)).toEqual(['holds 3', 'holds 7']);
});

test('prints nothing for what it knows already, and traces it', async () => {
  const watch = await startWatch();
  watch.transport.latest().send(snapshot(3), change(3), { kind: 'unknown', type: 'news' });
  expect(watch.said.slice(2)).toEqual(['holds 3']);
  expect(watch.traced).toEqual(
    expect.arrayContaining([
      'flags refused {"reason":"known already","changes":1,"held":3}',
      'flags unknown event {"type":"news"}',
    ]),
  );
});

test('a stream that stays silent is given up, and the trace says for how long it was', async () => {
  const watch = await startWatch();
  watch.transport.latest().send(snapshot(3));
  await watch.system.advance(15_000);
  watch.transport.latest().send();
  await watch.system.advance(DEFAULT_POLICY.silenceMs);
  expect(watch.said.at(-1)).toMatch(/^no byte for too long, waits/);
  expect(watch.traced).toContain('stream bytes {"silentMs":15000}');
  expect(watch.traced).toContain('stream ended {"how":"aborted","silentMs":40000}');
});

test('the trace says why and when it tries again', async () => {
  const watch = await startWatch();
  watch.transport.latest().end({ ended: 'refused', status: 503, retryAfterMs: 7_000 });
  await watch.system.advance(0);
  expect(watch.traced.at(-2)).toBe(
    'stream ended {"how":"refused","status":503,"retryAfterMs":7000,"silentMs":0}',
  );
  expect(watch.traced.at(-1)).toMatch(
    /^connection waiting .*"reason":"the server answers 503".*"nextInMs":7500/,
  );
});

test.each([
  [401, 'unauthorized'],
  [403, 'unauthorized'],
  [404, 'not_found'],
  [410, 'not_found'],
  [204, 'unreachable'],
  [400, 'unreachable'],
])('gives up for good at status %i', async (status, code) => {
  const watch = await startWatch();
  watch.transport.latest().end({ ended: 'refused', status, retryAfterMs: undefined });
  expect(await watch.end).toBe(code);
  await watch.system.advance(3_600_000);
  expect(watch.transport.streams).toHaveLength(1);
  expect(watch.said).toEqual(['connecting']);
});

test.each<[string, StreamEnd]>([
  ['a wrong content type', { ended: 'wrong-content', contentType: 'text/html' }],
  ['a broken connection', { ended: 'failed', error: new FlagError('unreachable', 'The line is cut.') }],
  ['status 500', { ended: 'refused', status: 500, retryAfterMs: undefined }],
  ['status 429', { ended: 'refused', status: 429, retryAfterMs: undefined }],
])('tries again after %s', async (_, end) => {
  const watch = await startWatch();
  await watch.endStream(end);
  expect(watch.transport.streams).toHaveLength(2);
});
