/** The stream endpoint over real sockets: what a client gets first, after a cut, through a filter, too slow, and at the end. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { LIMITS } from '../../src/core/protocol/limits.ts';
import { type OpenServer, openServer, openStream, wordsOf } from './server-kit.ts';

const create = ({ rest }: OpenServer, key: string) => rest('POST', '/flags', { key, description: '' });
const tag = ({ rest }: OpenServer, id: number, value: string) => rest('POST', `/flags/${id}/tags`, { value });

test('a fresh stream begins with a snapshot and goes on with each edit', async () => {
  const server = await openServer();
  await create(server, 'a');
  const stream = await openStream(server.url);
  expect(wordsOf(await stream.take(1))).toEqual(['snapshot 1: a']);
  await server.rest('PUT', '/flags/1/enabled', { enabled: true });
  await server.rest('DELETE', '/flags/1');
  expect(wordsOf(await stream.take(2))).toEqual(['2 FLAG_ENABLED a', '3 FLAG_DELETED a']);
});

test('what is streamed is the flag without notes and authors', async () => {
  const server = await openServer();
  const stream = await openStream(server.url);
  await create(server, 'a');
  await server.rest('PUT', '/flags/1', { notes: 'secret plan' });
  const messages = await stream.take(3);
  expect(wordsOf(messages).slice(1)).toEqual(['1 FLAG_CREATED a', '2 FLAG_UPDATED a']);
  expect(JSON.stringify(messages)).not.toContain('secret plan');
});

test('the head and at least 1 KB of body are sent at once, also on a resume that missed nothing', async () => {
  const { url, server } = await openServer();
  const after = { epoch: server.source.epoch, revision: 0 };
  const { response, firstChunk } = await openStream(url, { after });
  expect((await firstChunk).length).toBeGreaterThanOrEqual(1024);
  expect(response.statusCode).toBe(200);
  expect(response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    connection: 'keep-alive',
  });
});

test('a resume that missed nothing is told at once that what it holds is current', async () => {
  const { url, server } = await openServer();
  const { epoch } = server.source;
  const { response } = await openStream(url, { after: { epoch, revision: 0 } });
  let text = '';
  for await (const chunk of response) {
    text += chunk;
    if (text.includes('id: ')) break;
  }
  expect(text.replace(/^: .*\n\n/, '')).toBe(`: \nid: ${epoch}.0\n\n`);
});

test('a resumed stream brings the missed changes as they were, as one batch, and then the live ones', async () => {
  const server = await openServer();
  const { epoch } = server.server.source;
  for (const key of ['a', 'b', 'c']) await create(server, key);
  const stream = await openStream(server.url, { after: { epoch, revision: 1 } });
  await create(server, 'd');
  expect(wordsOf(await stream.take(2))).toEqual([
    'batch: 2 FLAG_CREATED b, 3 FLAG_CREATED c',
    '4 FLAG_CREATED d',
  ]);
  expect((await server.rest('GET', '/health')).json).toMatchObject({
    streams: 1,
    streamsOpened: 1,
    resumed: 1,
  });
});

test.each([
  ['from before the log', (epoch: string) => `${epoch}.0`],
  ['from the future', (epoch: string) => `${epoch}.99`],
  ['of another epoch', () => 'other.3'],
  ['that is none', () => 'yesterday'],
  ['that is empty', () => ''],
])('an event id %s is answered with a snapshot', async (_, id) => {
  const server = await openServer({ keptChanges: 2 });
  for (const key of ['a', 'b', 'c']) await create(server, key);
  const headers = { 'Last-Event-ID': id(server.server.source.epoch) };
  const stream = await openStream(server.url, { headers });
  expect(wordsOf(await stream.take(1))).toEqual(['snapshot 3: a b c']);
  expect((await server.rest('GET', '/health')).json).toMatchObject({ resumed: 0 });
});

test('a rename is one batch: deleted under the old key, created under the new one', async () => {
  const server = await openServer();
  await create(server, 'old');
  const stream = await openStream(server.url);
  await server.rest('PUT', '/flags/1', { key: 'new' });
  expect(wordsOf(await stream.take(2))[1]).toBe('batch: 2 FLAG_DELETED old, 3 FLAG_CREATED new');
});

test('a filtered client sees flags enter and leave its filter, and nothing of the others', async () => {
  const server = await openServer();
  await create(server, 'a');
  await create(server, 'b');
  const stream = await openStream(server.url, { query: '?tag=web' });
  expect(wordsOf(await stream.take(1))).toEqual(['snapshot 2: ']);
  await tag(server, 1, 'web');
  await tag(server, 2, 'app');
  await server.rest('PUT', '/flags/1/enabled', { enabled: true });
  await server.rest('DELETE', '/flags/1/tags/1');
  await server.rest('PUT', '/flags/1/enabled', { enabled: false });
  await tag(server, 2, 'web');
  expect(wordsOf(await stream.take(4))).toEqual([
    '3 FLAG_UPDATED a',
    '5 FLAG_ENABLED a',
    '6 FLAG_DELETED a',
    '8 FLAG_UPDATED b',
  ]);
  const resumed = await openStream(server.url, {
    query: '?tag=web',
    after: { epoch: server.server.source.epoch, revision: 3 },
  });
  expect(wordsOf(await resumed.take(1))).toEqual([
    'batch: 5 FLAG_ENABLED a, 6 FLAG_DELETED a, 8 FLAG_UPDATED b',
  ]);
});

test('kinds of filters add up', async () => {
  const server = await openServer();
  for (const key of ['a', 'b', 'c', 'd', 'e']) await create(server, key);
  await tag(server, 4, 'web');
  const stream = await openStream(server.url, { query: '?flagKey=a&flagID=2&segmentsOf=c&tag=web' });
  expect(wordsOf(await stream.take(1))).toEqual(['snapshot 6: a b c d']);
});

test.each([
  ['an id that is no number', '?flagID=one', 'flagID must be a whole number'],
  ['an empty key', '?flagKey=', 'flagKey must be a string of 1 to'],
  [
    'too many names',
    `?${Array.from({ length: LIMITS.filterNames + 1 }, (_, n) => `flagID=${n}`).join('&')}`,
    'The filter has 1001 names',
  ],
])('a filter with %s is refused in words', async (_, query, words) => {
  const { rest } = await openServer();
  for (const path of ['/events/stream', '/snapshot']) {
    const { status, json } = await rest('GET', path + query);
    expect([status, json]).toEqual([400, { error: expect.stringContaining(words) }]);
  }
});

test('other methods than GET are refused, HEAD too', async () => {
  const { rest, url } = await openServer();
  expect((await rest('POST', '/events/stream', {})).status).toBe(405);
  const head = await fetch(`${url}/api/v1/events/stream`, { method: 'HEAD' });
  expect([head.status, head.headers.get('allow')]).toEqual([405, 'GET']);
});

test('a client that does not read is cut, and one that reads gets everything', async () => {
  const server = await openServer({ maxQueuedBytes: 64 * 1024, keepAliveIntervalMs: 60_000 });
  await create(server, 'a');
  const { epoch } = server.server.source;
  const slow = await openStream(server.url, { after: { epoch, revision: 1 } });
  const quick = await openStream(server.url, { after: { epoch, revision: 1 } });
  slow.pause();
  let edits = 0;
  const attachment = { text: 'x'.repeat(200_000) };
  await server.rest('POST', '/flags/1/variants', { key: 'on' });
  while (server.server.streams === 2) {
    edits += 1;
    await server.rest('PUT', '/flags/1/variants/1', { key: `on-${edits}`, attachment });
    if (edits > 500) throw new Error('The slow client was never cut.');
  }
  expect(await quick.take(edits + 1)).toHaveLength(edits + 1);
  expect(server.server.streams).toBe(1);
});

// 10 000 bytes: the opening and the edit fit, the snapshot of 4 MB does not.
test('a large first snapshot does not make a client slow', async () => {
  const server = await openServer({ maxQueuedBytes: 10_000 });
  const flags = Array.from({ length: 40 }, (_, index) => ({
    id: index + 1,
    key: `flag-${index}`,
    enabled: true,
    description: 'x'.repeat(100_000),
  }));
  expect((await server.rest('POST', '/import', { flags: flags.slice(0, 10) })).status).toBe(200);
  expect((await server.rest('POST', '/import', { flags: flags.slice(10) })).status).toBe(200);
  const stream = await openStream(server.url);
  await server.rest('PUT', '/flags/1/enabled', { enabled: false });
  expect(wordsOf(await stream.take(2))[1]).toBe('41 FLAG_DISABLED flag-0');
});

test('heartbeats are comments that say where the stream stands', async () => {
  const { url } = await openServer({ keepAliveIntervalMs: 5 });
  const { response } = await openStream(url);
  let text = '';
  for await (const chunk of response) {
    text += chunk;
    if (/(: \nid: [\w-]+\.0\n\n){2}$/.test(text)) break;
  }
  expect(text).toContain('event: snapshot');
});

test('a client that goes away is forgotten', async () => {
  const server = await openServer({ keepAliveIntervalMs: 5 });
  const stream = await openStream(server.url);
  await stream.take(1);
  stream.close();
  while (server.server.streams > 0) await server.rest('GET', '/health');
  expect((await server.rest('GET', '/health')).json).toMatchObject({ streams: 0, streamsOpened: 1 });
});

test('one stream more than allowed is answered with 503 and when to come back', async () => {
  const { url, rest } = await openServer({ maxStreams: 1 });
  await openStream(url);
  const { status, headers } = await rest('GET', '/events/stream');
  expect([status, headers.get('retry-after')]).toEqual([503, '5']);
});

test('close says bye to each client with its own time, ends the streams in order, and takes bounded time', async () => {
  const server = await openServer({ drainSpreadMs: 1_000_000, closeTimeoutMs: 200 });
  const streams = await Promise.all([1, 2, 3, 4].map(() => openStream(server.url)));
  // A connection that never sends a request would hold up the close for ever.
  const idle = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => undefined);
  await new Promise((resolve) => idle.once('connect', resolve));
  await Promise.all([server.server.close(), server.server.close()]);
  const byes = await Promise.all(streams.map(async (stream) => (await stream.take(2))[1]));
  expect(byes.map((bye) => bye?.kind)).toEqual(['bye', 'bye', 'bye', 'bye']);
  const delays = byes.map((bye) => (bye?.kind === 'bye' ? bye.retryAfterMs : -1));
  expect(new Set(delays).size).toBeGreaterThan(1);
  expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(['ended', 'ended', 'ended', 'ended']);
  await expect(fetch(server.url)).rejects.toThrow();
});

test('a snapshot that no client would take is refused in words', async () => {
  const server = await openServer();
  const flags = Array.from({ length: 9 }, (_, index) => ({
    id: index + 1,
    key: `flag-${index}`,
    enabled: true,
    description: 'x'.repeat(1_000_000),
  }));
  await server.rest('POST', '/import', { flags });
  for (const path of ['/events/stream', '/snapshot']) {
    const { status, json } = await server.rest('GET', path);
    expect([status, json]).toEqual([413, { error: expect.stringContaining('Ask for fewer flags') }]);
  }
  expect((await server.rest('GET', '/snapshot?flagKey=flag-1')).status).toBe(200);
});
