/** The SSE transport against servers that misbehave, each in one way, over real sockets. */
import type { IncomingMessage } from 'node:http';
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
  stopServers,
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

test('asks with token, event id and filter, and keeps the token out of the address', async () => {
  let seen: IncomingMessage | undefined;
  const url = await serve((request, response) => {
    seen = request;
    response.writeHead(204).end();
  });
  await listen({
    url,
    after: { epoch: 'e', revision: 7 },
    accessToken: 'secret',
    filter: { flagKeys: ['a b', 'c&d'], flagIDs: [1], tags: ['web'], segmentsOf: ['é'] },
  });
  expect(seen?.url).toBe(
    '/api/v1/events/stream?flagKey=a+b&flagKey=c%26d&flagID=1&tag=web&segmentsOf=%C3%A9',
  );
  expect(seen?.headers).toMatchObject({
    accept: 'text/event-stream',
    authorization: 'Bearer secret',
    'last-event-id': 'e.7',
  });
});

test('refuses a token that no header can carry without repeating it', async () => {
  const url = await serve((_, response) => response.writeHead(204).end());
  const end = await transport.stream(asRequest({ url, accessToken: 'my secret\n' }), NOT_LISTENING);
  expect(end).toMatchObject({ ended: 'failed', error: { code: 'unauthorized' } });
  expect(end).not.toHaveProperty('error.message', expect.stringContaining('secret'));
});

test('sends neither token nor event id when there is none', async () => {
  let headers: IncomingMessage['headers'] = {};
  const url = await serve((request, response) => {
    headers = request.headers;
    response.writeHead(204).end();
  });
  await listen({ url });
  expect(headers).not.toHaveProperty('authorization');
  expect(headers).not.toHaveProperty('last-event-id');
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

test('ends as failed when the connection is reset', async () => {
  let reset = (): void => {};
  const url = await serve((_, response) => {
    reset = () => response.socket?.resetAndDestroy();
    startStream(response);
    response.write(wire(change(1)));
  });
  const heard = await listen({ url }, { received: () => reset() });
  expect(heard).toEqual(['opened', 'received 1', 'failed unreachable']);
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

test('reports a malformed event between the good ones before and after it', async () => {
  const bad = 'id: e.2\nevent: flag_updated\ndata: {"type":"FLAG_UPDATED","revision":2}\n\n';
  const url = await streaming([wire(change(1)) + bad + wire(change(3))]);
  expect(await listen({ url })).toEqual([
    'opened',
    'received 1',
    'malformed invalid_data flag_updated.flagKey',
    'received 3',
    'closed',
  ]);
});

test('ends the stream at an event over the limit, after handing over what came before', async () => {
  const huge = wire(change(2, 'x'.repeat(20_000)));
  const url = await streaming([wire(change(1)) + huge + wire(change(3))], 'stay');
  expect(await listen({ url })).toEqual(['opened', 'received 1', 'malformed too_large', 'failed too_large']);
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

test('says what failed and what to do when no server answers', async () => {
  const url = await serve(() => {});
  stopServers();
  const end = await transport.stream(asRequest({ url }), NOT_LISTENING);
  expect(end).toMatchObject({ ended: 'failed', error: { code: 'unreachable' } });
  expect(end).toHaveProperty('error.message', expect.stringMatching(/ECONNREFUSED.*Check the address/));
});

test('ends as failed at an address that is none', async () => {
  expect(await listen({ url: 'no address' })).toEqual(['failed unreachable']);
});

test('an abort while the server has not answered ends the request on both sides', async () => {
  const stop = new AbortController();
  let closed: Promise<void> | undefined;
  const url = await serve((request) => {
    closed = new Promise((done) => request.socket.on('close', () => done()));
    stop.abort();
  });
  expect(await listen({ url, signal: stop.signal })).toEqual(['aborted']);
  await closed;
});

test('an abort in mid-stream ends the request on both sides', async () => {
  const stop = new AbortController();
  let closed: Promise<void> | undefined;
  const url = await serve((_, response) => {
    startStream(response);
    closed = new Promise((done) => response.on('close', done));
    response.write(wire(change(1)));
  });
  const heard = await listen({ url, signal: stop.signal }, { received: () => stop.abort() });
  expect(heard).toEqual(['opened', 'received 1', 'aborted']);
  await closed;
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

test('a listener that throws ends its stream, and the cause is kept', async () => {
  let closed: Promise<void> | undefined;
  const url = await serve((_, response) => {
    startStream(response);
    closed = new Promise((done) => response.on('close', done));
    response.write(wire(change(1)));
  });
  const fault = new Error('no room');
  const received = () => {
    throw fault;
  };
  const listener = {
    opened() {},
    alive() {},
    quiet() {},
    position() {},
    received,
    malformed() {},
    retry() {},
  };
  const end = await transport.stream(asRequest({ url }), listener);
  expect(end).toMatchObject({ ended: 'failed', error: { code: 'closed', cause: fault } });
  await closed;
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
