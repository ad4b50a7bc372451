/** What only the SSE transport has to do, against servers that misbehave, each in one way, over real sockets. */
import { expect, test } from 'vitest';
import { encodeSseComment, encodeSsePosition, encodeSseRetry } from '../../src/core/protocol/sse-frame.ts';
import type { StreamListener } from '../../src/transport/contract.ts';
import { decodeRetryAfter, filterQuery } from '../../src/transport/request.ts';
import { createSseTransport } from '../../src/transport/sse.ts';
import {
  asRequest,
  bytewise,
  change,
  listen,
  NOW_MS,
  serve,
  startStream,
  streaming,
  transport,
  wire,
} from './transport-kit.ts';

/** For streams that never open: any call would throw. */
const NOT_LISTENING = {} as StreamListener;

test('hands a burst over in one call', async () => {
  const url = await streaming([[1, 2, 3].map((revision) => wire(change(revision))).join('')]);
  expect(await listen({ url })).toEqual(['opened', 'received 1 2 3', 'closed']);
});

test('joins characters and line ends that were split between chunks', async () => {
  const text = wire(change(1, '🚩ü€')).replaceAll('\n', '\r\n');
  expect(await listen({ url: await streaming(bytewise(text)) })).toEqual([
    'opened',
    'received 1🚩ü€',
    'closed',
  ]);
});

test('drops an event that the end of the stream cut in two', async () => {
  const cut = wire(change(2)).slice(0, -1);
  const url = await streaming([wire(change(1)) + cut]);
  expect(await listen({ url })).toEqual(['opened', 'received 1', 'closed']);
});

test('tells of heartbeats, retry hints and unknown events, in order', async () => {
  let chunks = 0;
  const news = 'event: weather\ndata: {}\n\n';
  const pieces = [
    encodeSseComment('beat'),
    encodeSseRetry(2500) + wire(change(1)) + news,
    encodeSseRetry(9e9),
  ];
  const heard = await listen({ url: await streaming([pieces.join('')]) }, { alive: () => chunks++ });
  expect(heard).toEqual(['opened', 'retry 2500', 'received 1 unknown:weather', 'retry 3600000', 'closed']);
  expect(chunks).toBe(1);
});

test('an id without an event is where the stream stands; the id of an event is not told twice', async () => {
  const url = await streaming([
    encodeSsePosition({ epoch: 'e', revision: 6 }),
    wire(change(7)) + encodeSsePosition({ epoch: 'e', revision: 7 }),
    'id: no event id\n\n',
  ]);
  expect(await listen({ url })).toEqual(['opened', 'position e.6', 'received 7', 'position e.7', 'closed']);
});

test('a heartbeat alone is a sign of life and no message', async () => {
  let chunks = 0;
  const heard = await listen({ url: await streaming([encodeSseComment('beat')]) }, { alive: () => chunks++ });
  expect(heard).toEqual(['opened', 'closed']);
  expect(chunks).toBe(1);
});

test('gives up on a first event that never ends, and the server sees it', async () => {
  let closed: Promise<void> | undefined;
  const url = await serve((_, response) => {
    startStream(response);
    closed = new Promise((done) => response.on('close', done));
    const pour = (): void => {
      while (!response.destroyed && response.write('data: '.repeat(200)));
    };
    response.on('drain', pour);
    pour();
  });
  expect(await listen({ url })).toEqual(['opened', 'malformed too_large', 'failed too_large']);
  await closed;
});

test.each(['text/html', 'application/json', 'text/event-stream-not', ''])(
  'refuses a stream with the content type %o',
  async (type) => {
    const url = await serve((_, response) => {
      response.writeHead(200, type === '' ? {} : { 'content-type': type }).end(wire(change(1)));
    });
    expect(await listen({ url })).toEqual(['wrong-content']);
  },
);

test.each(['text/event-stream', 'Text/Event-Stream;charset=UTF-8', ' text/event-stream ; a=b'])(
  'takes a stream with the content type %o',
  async (type) => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': type }).end(wire(change(1)));
    });
    expect(await listen({ url })).toEqual(['opened', 'received 1', 'closed']);
  },
);

test.each([
  [204, undefined, undefined],
  [401, undefined, undefined],
  [410, undefined, undefined],
  [429, '7', 7000],
  [429, 'Thu, 05 Mar 2026 10:00:30 GMT', 30_000],
  [503, '0', 0],
  [500, 'soon', undefined],
])('passes status %i with Retry-After %o on', async (status, retryAfter, retryAfterMs) => {
  const url = await serve((_, response) => {
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
  });
  expect(await transport.stream(asRequest({ url }), NOT_LISTENING)).toEqual({
    ended: 'refused',
    status,
    retryAfterMs,
  });
});

test('follows a redirect', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/elsewhere') {
      startStream(response);
      response.end(wire(change(1)));
    } else response.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect(await listen({ url })).toEqual(['opened', 'received 1', 'closed']);
});

test('a listener that stops the stream hears nothing more, not even the rest of the chunk', async () => {
  const stop = new AbortController();
  const url = await streaming([wire(change(1)) + encodeSseRetry(1) + wire(change(2))], 'stay');
  const heard = await listen({ url, signal: stop.signal }, { received: () => stop.abort() });
  expect(heard).toEqual(['opened', 'received 1', 'aborted']);
});

test('an abort before the start asks nothing', async () => {
  let requests = 0;
  const url = await serve(() => requests++);
  expect(await listen({ url, signal: AbortSignal.abort() })).toEqual(['aborted']);
  const fetched = createSseTransport({ fetch: () => expect.fail('asked'), system: { nowMs: () => NOW_MS } });
  const end = await fetched.stream(asRequest({ url, signal: AbortSignal.abort() }), NOT_LISTENING);
  expect([end, requests]).toEqual([{ ended: 'aborted' }, 0]);
});

test('an abort ends the request even if the platform never settles it', async () => {
  const stop = new AbortController();
  const deaf = createSseTransport({ fetch: () => new Promise(() => {}), system: { nowMs: () => NOW_MS } });
  const end = deaf.stream(asRequest({ url: 'http://a', signal: stop.signal }), NOT_LISTENING);
  stop.abort();
  expect(await end).toEqual({ ended: 'aborted' });
});

test.each([
  ['120', 120_000],
  [' 3 ', 3000],
  ['86400', 3_600_000],
  ['Thu, 05 Mar 2026 09:00:00 GMT', 0],
  ['Fri, 06 Mar 2026 10:00:00 GMT', 3_600_000],
  ['-5', undefined],
  ['1.5', undefined],
  ['Thursday or so', undefined],
  ['', undefined],
  [null, undefined],
])('reads Retry-After %o as %o ms', (value, expected) => {
  expect(decodeRetryAfter(value, NOW_MS)).toBe(expected);
});

test('no filter, no query', () => {
  expect(filterQuery(undefined)).toBe('');
  expect(filterQuery({ tags: [] })).toBe('');
});
