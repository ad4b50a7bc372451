/**
 * Every answer a network can give, against the hub with its real transport: what state follows and why, when it tries again, and that
 * what is held is kept. Bytes are real and go over loopback; time is not, so nothing here waits for a delay.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectionStatus } from '../../src/core/state/status.ts';
import { createHub } from '../../src/hub/hub.ts';
import { createMirror } from '../../src/page/mirror.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import {
  type AnswerScript,
  answers,
  buildFlag,
  byeEvent,
  changeEvent,
  heartbeat,
  type RecordedRequest,
  type ScriptedAnswer,
  snapshotEvent,
  splitText,
  startScriptedServer,
} from '../../src/testing/index.ts';
import { createSseTransport } from '../../src/transport/sse.ts';
import { createFakeSystem } from '../kit/fake-system.ts';

const STREAM = '/api/v1/events/stream';
const SNAPSHOT = '/api/v1/snapshot';
const LOOP = '/loop';
const MAX_EVENT_LENGTH = 10_000;
/** The first delay is anything up to a second; chance is fixed at one half. */
const FIRST_DELAY_MS = 500;

const flag = (description: string) => buildFlag('a', { description });
/** What the storage of this browser holds when the fault comes. */
const HELD = { epoch: 'scripted', revision: 3, flags: new Map([['a', flag('kept')]]), isFiltered: false };
const NEXT = changeEvent(4, flag('four'));

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function serve(script: AnswerScript | Readonly<Record<string, AnswerScript>>) {
  const server = await startScriptedServer(script);
  stops.push(server.close);
  return server;
}

/** A hub with one tab, the only one of its browser, that starts with `HELD` in storage. */
async function openBrowser(url: string) {
  const system = createFakeSystem();
  const store = createMemoryStore();
  await store.saveSnapshot(HELD, { term: await store.lead(), nowMs: 0, filterKey: '' });
  const mirror = createMirror();
  const tokens: string[] = [];
  let connection: ConnectionStatus | undefined;
  const hub = createHub({
    bootId: 'boot',
    scope: 'faults',
    url,
    policy: {},
    transport: createSseTransport({ fetch, system, maxEventLength: MAX_EVENT_LENGTH }),
    store,
    system,
    trace: () => {},
    traceEntries: [],
    claimStream: ({ onHeld }) => {
      onHeld();
      return { release: () => {} };
    },
    peers: { post: () => {}, onMessage: () => {}, close: () => {} },
    whenHubIsGone: () => () => {},
    onIdle: () => {},
  });
  stops.push(() => hub.close());
  hub.attach({
    tabId: 'tab',
    filter: undefined,
    held: undefined,
    sink: {
      deliver: async ({ update, status }) => {
        if (update !== undefined) mirror.apply(update);
        connection = status.connection;
      },
      accessToken: async (why) => {
        tokens.push(why);
        return why === 'first' ? 'old-token' : 'new-token';
      },
    },
  });

  const now = () => ({
    is: connection?.is,
    revision: mirror.held?.revision,
    description: mirror.byKey('a')?.description,
  });
  return {
    system,
    hub,
    tokens,
    now,
    connection: () => connection,
    /** Real bytes need real time; how much of it says nothing. */
    reaches: (wanted: Partial<ReturnType<typeof now>>) =>
      expect.poll(now, { interval: 2, timeout: 10_000 }).toMatchObject(wanted),
    stored: async () => (await store.load())?.held.revision,
  };
}

interface Fault {
  readonly name: string;
  readonly answer: ScriptedAnswer;
  /** The fault is one of time: so much of it passes once the connection `is` this. */
  readonly passes?: readonly ['connecting' | 'live', ms: number];
  readonly reason: RegExp;
  /** Until the next attempt. */
  readonly inMs: number;
}

const waits = (name: string, answer: ScriptedAnswer, reason: RegExp, more: Partial<Fault> = {}): Fault => ({
  name,
  answer,
  reason,
  inMs: FIRST_DELAY_MS,
  ...more,
});

const FAULTS: readonly Fault[] = [
  waits(
    'a server that is overloaded is left alone for its Retry-After and a little more',
    answers.status(503, { 'retry-after': '7' }),
    /503/,
    { inMs: 7_500 },
  ),
  // The fake clock starts 1000 s after 1970.
  waits(
    'a Retry-After that is a date counts from now',
    answers.status(429, { 'retry-after': 'Thu, 01 Jan 1970 00:16:47 GMT' }),
    /429/,
    { inMs: 7_500 },
  ),
  waits(
    'a Retry-After of a hundred years is cut to an hour',
    answers.status(503, { 'retry-after': '3153600000' }),
    /503/,
    { inMs: 3_600_500 },
  ),
  waits(
    'a Retry-After date in the past asks for nothing',
    answers.status(503, { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }),
    /503/,
  ),
  waits('a negative Retry-After asks for nothing', answers.status(503, { 'retry-after': '-5' }), /503/),
  waits(
    'a Retry-After that is no time asks for nothing',
    answers.status(503, { 'retry-after': 'soon' }),
    /503/,
  ),
  waits('a broken server is tried again', answers.status(500), /500/),
  waits('a gateway without its server is tried again', answers.status(502), /502/),
  waits('a captive portal is no flag server, although it answers 200', answers.captivePortal(), /text\/html/),
  waits('JSON with status 200 is no stream', answers.json({ flags: [] }), /application\/json/),
  waits(
    'an answer without a content type is no stream',
    { headers: { 'content-type': '' } },
    /without a type/,
  ),
  waits('a redirect loop ends as a failure', answers.redirect(LOOP), /redirect/),
  waits('a redirect to nowhere ends as a failure', answers.redirect('http://127.0.0.1:1/'), /failed/),
  waits('a connection reset before the headers is a failure', answers.dropped('reset'), /failed/),
  waits('a connection closed before the headers is a failure', answers.dropped('fin'), /failed/),
  waits('no headers in 15 s is a failure', answers.silence(), /did not answer/, {
    passes: ['connecting', 15_000],
  }),
  waits('headers that come after 15 s come too late', { headersAfterMs: 60_000 }, /did not answer/, {
    passes: ['connecting', 15_000],
  }),
  waits('headers and then nothing for 40 s is a dead stream', answers.stream(), /no byte/, {
    passes: ['live', 40_000],
  }),
  waits(
    'a stream that falls silent after an event is dead too',
    answers.stream(['event: news\ndata: {}\n\n']),
    /no byte/,
    { passes: ['live', 40_000] },
  ),
  waits(
    'gzip that nobody flushes is a silent stream',
    answers.stream([NEXT], { gzip: 'unflushed' }),
    /no byte/,
    { passes: ['live', 40_000] },
  ),
  waits('an empty stream that ends is a cut', answers.stream([], { end: 'complete' }), /closed the stream/),
  waits(
    'a reset in the middle of an event loses the event, not what is held',
    answers.stream([NEXT.slice(0, -9), { pauseMs: 30 }], { end: 'reset' }),
    /failed/,
  ),
  waits(
    'a polite end in the middle of an event loses it too',
    answers.stream([NEXT.slice(0, -1)], { end: 'complete' }),
    /closed the stream/,
  ),
  waits(
    'an end in the middle of a character is a cut',
    answers.stream([splitText(changeEvent(4, flag('é')), 1).slice(0, -20)].flat(), { end: 'complete' }),
    /closed the stream/,
  ),
  waits(
    'an event without an end is dropped at the limit',
    answers.endlessEvent(),
    /10000 characters|changes are missing/,
  ),
  waits(
    'an event over the limit is dropped',
    answers.stream([changeEvent(4, flag('x'.repeat(MAX_EVENT_LENGTH)))]),
    /10000 characters|changes are missing/,
  ),
  waits(
    'an event that is no JSON is not believed',
    answers.stream(['id: scripted.4\nevent: flag_updated\ndata: {"type"\n\n']),
    /changes are missing|JSON/,
  ),
  waits(
    'a server that is behind is left',
    answers.stream([snapshotEvent(2, [flag('old')])]),
    /revision 2, behind .*3/,
  ),
  waits(
    'a server whose heartbeat is behind is left',
    answers.stream([heartbeat(2)]),
    /revision 2, behind .*3/,
  ),
  waits(
    'a goodbye says when to come back',
    answers.stream([byeEvent(9_000)], { end: 'complete' }),
    /said goodbye/,
    { inMs: 9_500 },
  ),
  waits(
    'a retry field is a floor for the next attempt',
    answers.stream(['retry: 3000\n\n'], { end: 'complete' }),
    /closed the stream/,
    { inMs: 3_500 },
  ),
];

describe('waits, keeps what is held, and resumes from it', () => {
  test.each(FAULTS)('$name', async ({ answer, passes, reason, inMs }) => {
    const server = await serve({
      [STREAM]: [answer, answers.stream([NEXT])],
      [LOOP]: [answers.redirect(LOOP)],
      [SNAPSHOT]: [answers.status(503)],
    });
    const browser = await openBrowser(server.url);
    const first = await server.nextRequest();
    expect(first.headers['last-event-id']).toBe('scripted.3');
    if (passes !== undefined) {
      await browser.reaches({ is: passes[0] });
      await browser.system.advance(passes[1] - 1);
      expect(browser.now().is).toBe(passes[0]);
      await browser.system.advance(1);
    }
    await browser.reaches({ is: 'waiting', revision: 3, description: 'kept' });
    expect(browser.connection()).toMatchObject({ reason: expect.stringMatching(reason), attempt: 2 });
    expect(await browser.stored()).toBe(3);

    const { retryAtMs } = browser.connection() as { readonly retryAtMs: number };
    expect(retryAtMs - browser.system.nowMs()).toBe(inMs);
    await browser.system.advance(inMs - 1);
    expect(browser.now().is).toBe('waiting');
    await browser.system.advance(1);
    await browser.reaches({ is: 'live', revision: 4, description: 'four' });
    expect(server.requests.at(-1)).toMatchObject({
      path: STREAM,
      headers: { 'last-event-id': 'scripted.3' },
    });
    expect(await browser.stored()).toBe(4);
  });
});

test.each([
  ['a stream that is split inside every character', answers.stream(splitText(changeEvent(4, flag('é€😀'))))],
  [
    'a stream of carriage returns and line feeds',
    answers.stream([changeEvent(4, flag('é€😀')).replaceAll('\n', '\r\n')]),
  ],
  [
    'a stream of bare carriage returns',
    answers.stream([changeEvent(4, flag('é€😀')).replaceAll('\n', '\r'), '\r']),
  ],
  ['a stream that begins with a byte order mark', answers.stream(['\uFEFF', changeEvent(4, flag('é€😀'))])],
  [
    'gzip that is flushed after each event',
    answers.stream([changeEvent(4, flag('é€😀'))], { gzip: 'flushed' }),
  ],
  [
    'headers that are late, but in time',
    answers.stream([changeEvent(4, flag('é€😀'))], { headersAfterMs: 60 }),
  ],
  [
    'an event between others of unknown type',
    answers.stream(['event: news\ndata: 1\n\n', changeEvent(4, flag('é€😀'))]),
  ],
])('%s is a good stream', async (_, answer) => {
  const server = await serve({ [STREAM]: [answer] });
  const browser = await openBrowser(server.url);
  await browser.reaches({ is: 'live', revision: 4, description: 'é€😀' });
  expect(server.requests).toHaveLength(1);
});

test('a redirect within the origin is followed, with the token', async () => {
  const server = await serve({ [STREAM]: [answers.redirect('/moved')], '/moved': [answers.stream([NEXT])] });
  const browser = await openBrowser(server.url);
  await browser.reaches({ is: 'live', revision: 4 });
  expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer old-token');
});

test('a redirect to another origin is followed, and the token stays at home', async () => {
  const other = await serve([answers.stream([NEXT])]);
  const server = await serve({ [STREAM]: [answers.redirect(`${other.url}/moved`)] });
  const browser = await openBrowser(server.url);
  await browser.reaches({ is: 'live', revision: 4 });
  expect(other.requests[0]?.headers).toMatchObject({ 'last-event-id': 'scripted.3' });
  expect(other.requests[0]?.headers.authorization).toBeUndefined();
});

test('401 renews the token once and at once; a token that is still refused waits', async () => {
  const server = await serve({ [STREAM]: [answers.status(401)] });
  const browser = await openBrowser(server.url);
  await browser.reaches({ is: 'waiting', revision: 3 });
  const sent = server.requests.map(({ headers }: RecordedRequest) => headers.authorization);
  expect({ sent, tokens: browser.tokens }).toEqual({
    sent: ['Bearer old-token', 'Bearer new-token'],
    tokens: ['first', 'rejected'],
  });
});

test('204 stops the connection for good, keeps what is held, and only a person starts it again', async () => {
  const server = await serve({
    [STREAM]: [answers.status(204), answers.stream([NEXT])],
    [SNAPSHOT]: [answers.status(304)],
  });
  const browser = await openBrowser(server.url);
  await browser.reaches({ is: 'stopped', revision: 3, description: 'kept' });
  await browser.system.advance(3_600_000);
  browser.hub.wake('online');
  await browser.system.advance(3_600_000);
  expect(server.requests).toHaveLength(1);
  await browser.hub.refresh();
  await browser.reaches({ is: 'live', revision: 4 });
});

test.each([403, 404, 410])(
  '%i is not retried like a failure: five to fifteen minutes pass',
  async (status) => {
    const server = await serve({
      [STREAM]: [answers.status(status), answers.stream([NEXT])],
      [SNAPSHOT]: [answers.status(status)],
    });
    const browser = await openBrowser(server.url);
    await browser.reaches({ is: 'polling', revision: 3, description: 'kept' });
    expect(browser.connection()).toMatchObject({ reason: expect.stringContaining(String(status)) });
    await browser.system.advance(299_000);
    expect(server.requests.filter(({ path }) => path === STREAM)).toHaveLength(1);
    await browser.system.advance(601_000);
    await browser.reaches({ is: 'live', revision: 4 });
  },
);

test('three streams that are cut at once turn to polls, which bring what is new', async () => {
  const server = await serve({
    [STREAM]: [answers.stream([], { end: 'complete' })],
    [SNAPSHOT]: [answers.json({ epoch: 'scripted', revision: 4, flags: [flag('polled')] })],
  });
  const browser = await openBrowser(server.url);
  for (let cut = 1; cut < 3; cut += 1) {
    await browser.reaches({ is: 'waiting', revision: 3, description: 'kept' });
    await browser.system.advance(1_000);
  }
  await browser.reaches({ is: 'polling', revision: 4, description: 'polled' });
  expect(server.requests.filter(({ path }) => path === STREAM)).toHaveLength(3);
});

test.each([
  ['a gap', changeEvent(6, flag('six'))],
  ['a heartbeat that is ahead', heartbeat(5)],
  ['an event that is malformed', 'id: scripted.4\nevent: flag_updated\ndata: {}\n\n'],
  ['an event over the limit', changeEvent(4, flag('x'.repeat(MAX_EVENT_LENGTH)))],
])('%s is made good by a snapshot', async (_, event) => {
  const server = await serve({
    [STREAM]: [answers.stream([event])],
    [SNAPSHOT]: [answers.json({ epoch: 'scripted', revision: 6, flags: [flag('six')] })],
  });
  const browser = await openBrowser(server.url);
  await browser.reaches({ revision: 6, description: 'six' });
  expect(await browser.stored()).toBe(6);
});

test('the server of another epoch is believed, even with a lower revision', async () => {
  const server = await serve({ [STREAM]: [answers.stream([snapshotEvent(1, [flag('new')], 'other')])] });
  const browser = await openBrowser(server.url);
  await browser.reaches({ is: 'live', revision: 1, description: 'new' });
});

test('one fault after the other waits longer and longer, and nothing held is lost on the way', async () => {
  const row = [answers.status(503), answers.captivePortal(), answers.dropped('fin'), answers.status(500)];
  const server = await serve({ [STREAM]: [...row, answers.stream([NEXT])] });
  const browser = await openBrowser(server.url);
  const delaysMs: number[] = [];
  for (const [index] of row.entries()) {
    await expect.poll(() => server.requests.length, { interval: 2 }).toBe(index + 1);
    await browser.reaches({ is: 'waiting', revision: 3, description: 'kept' });
    const { retryAtMs } = browser.connection() as { readonly retryAtMs: number };
    delaysMs.push(retryAtMs - browser.system.nowMs());
    await browser.system.advance(retryAtMs - browser.system.nowMs());
  }
  await browser.reaches({ is: 'live', revision: 4 });
  // Half of 1 s, 2 s, 4 s; from the fourth on the delay lies in the upper half of its range.
  expect(delaysMs).toEqual([500, 1_000, 2_000, 6_000]);
});
