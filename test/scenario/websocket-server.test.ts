/** `/ws` over real sockets: who gets in, what a client hears, and how a socket ends. */
import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket as WebSocketOfPackage } from 'ws';
import { createFlagentServer } from '../../src/server/index.ts';
import { startFaultProxy } from '../../src/testing/fault-proxy.ts';
import { type OpenServer, openServer } from './server-kit.ts';
import { eventually } from './sse-client-kit.ts';
import { bearerProtocols, openNative, openRaw, socketUrlOf } from './websocket-kit.ts';

const create = ({ rest }: OpenServer, key: string) => rest('POST', '/flags', { key, description: '' });
const ALL = { type: 'subscribe', id: 's', all: true };

/** The status with which an upgrade is refused, and what comes with it. */
async function refusal(
  address: string,
  {
    protocols = ['flagent.v1'],
    headers = {},
  }: { protocols?: string[]; headers?: Record<string, string> } = {},
): Promise<{ status: number; retryAfter: string | undefined; body: string }> {
  const socket = new WebSocketOfPackage(address, protocols, { headers });
  return new Promise((resolve, reject) => {
    socket.on('open', () => reject(new Error('It was let in.')));
    socket.on('unexpected-response', (_, response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body }),
      );
    });
  });
}

test.each([
  ['the package ws', (url: string) => openRaw(url)],
  ['the WebSocket of the platform', (url: string) => openNative(url)],
])('%s subscribes, hears edits, evaluates and pings', async (_, open) => {
  const server = await openServer();
  await create(server, 'a');
  const client = await open(server.url);
  client.say(ALL);
  expect(await client.take(2)).toEqual(['subscribed s', 'snapshot 1: a']);
  await server.rest('PUT', '/flags/1/enabled', { enabled: true });
  await server.rest('PUT', '/flags/1', { key: 'b' });
  client.say({ type: 'evaluate', id: 'q', flagKey: 'b', entityID: 'u' });
  client.say({ type: 'ping' });
  expect(await client.take(4)).toEqual([
    '2 FLAG_ENABLED a',
    'batch: 3 FLAG_DELETED a, 4 FLAG_CREATED b',
    'result q null NO_SEGMENTS',
    'pong',
  ]);
  client.close();
  await eventually(() => server.server.streams === 0);
});

test('messages of every length arrive whole, on both sides', async () => {
  const server = await openServer();
  const client = await openRaw(server.url);
  client.say(ALL);
  await client.take(2);
  let revision = 0;
  for (const length of [0, 1, 100, 60_000, 70_000, 300_000]) {
    await server.rest('POST', '/flags', { key: `f${length}`, description: 'ü'.repeat(length / 2) });
    revision += 1;
    expect(await client.take(1)).toEqual([`${revision} FLAG_CREATED f${length}`]);
    client.say({ type: 'evaluate', id: 'q', flagKey: 'a', entityContext: { text: 'ü'.repeat(length) } });
    expect(await client.take(1)).toEqual(['result q null FLAG_NOT_FOUND']);
  }
});

test('heartbeats say where the stream stands, to those who have one', async () => {
  const server = await openServer({ keepAliveIntervalMs: 5 });
  await create(server, 'a');
  const client = await openRaw(server.url);
  client.say(ALL);
  expect(await client.take(4)).toEqual(['subscribed s', 'snapshot 1: a', 'position 1', 'position 1']);
});

test('a token comes as a header or as a subprotocol, and is in no answer', async () => {
  const server = await openServer({ readTokens: ['reader~/+='], writeTokens: ['writer'] });
  for (const options of [
    { headers: { Authorization: 'Bearer reader~/+=' } },
    { protocols: bearerProtocols('reader~/+=') },
    { protocols: bearerProtocols('writer') },
    { protocols: [], headers: { Authorization: 'Bearer reader~/+=' } },
  ]) {
    const client = await openRaw(server.url, options);
    expect(client.socket.protocol).toBe(options.protocols?.length === 0 ? '' : 'flagent.v1');
    client.say({ type: 'ping' });
    expect(await client.take(1)).toEqual(['pong']);
  }
  const withoutVersion = socketUrlOf(server.url);
  const socket = new WebSocketOfPackage(withoutVersion, bearerProtocols('writer').slice(1));
  // The server chooses none of what is offered, which the class takes for an error: the token is not repeated.
  await new Promise((resolve) => socket.on('error', resolve));
  expect(socket.protocol).toBe('');
});

test.each<[string, { protocols?: string[]; headers?: Record<string, string> }]>([
  ['no token', {}],
  ['an unknown token as a header', { headers: { Authorization: 'Bearer nobody' } }],
  ['an unknown token as a subprotocol', { protocols: bearerProtocols('nobody') }],
  ['a token that is none', { protocols: ['flagent.v1', 'flagent.bearer.'] }],
])('%s is refused with 401 before the upgrade', async (_, options) => {
  const { url } = await openServer({ readTokens: ['reader'] });
  const { status, body } = await refusal(socketUrlOf(url), options);
  expect(status).toBe(401);
  expect(body).not.toMatch(/reader|nobody/);
});

test('a token in the address does not count', async () => {
  const { url } = await openServer({ readTokens: ['reader'] });
  expect((await refusal(socketUrlOf(url, '/ws?token=reader&access_token=reader'))).status).toBe(401);
});

test('only pages of allowed origins get in, those of the server itself, and who is no page', async () => {
  const app = 'https://app.example.com';
  const { url } = await openServer({ allowOrigins: [app] });
  for (const Origin of ['https://evil.example.com', 'null', 'https://app.example.com.evil', '']) {
    const { status, body } = await refusal(socketUrlOf(url), { headers: { Origin } });
    expect([Origin, status]).toEqual([Origin, 403]);
    expect(body).toContain('allowOrigins');
  }
  for (const Origin of [app, url]) await openRaw(url, { headers: { Origin } });
  await openRaw(url);
  const open = await openServer({ allowOrigins: ['*'] });
  await openRaw(open.url, { headers: { Origin: 'https://anybody.example.com' } });
});

test('one socket more than allowed is answered with 503 and when to come back, until one closes', async () => {
  const server = await openServer({ websocket: { maxConnections: 1 } });
  const first = await openRaw(server.url);
  expect(await refusal(socketUrlOf(server.url))).toMatchObject({ status: 503, retryAfter: '5' });
  first.close();
  await eventually(async () => {
    const { json } = await server.rest('GET', '/health');
    return (json as { sockets: number }).sockets === 0;
  });
  await openRaw(server.url);
});

test('sockets and server-sent event streams have a limit each', async () => {
  const server = await openServer({ maxStreams: 1, websocket: { maxConnections: 1 } });
  const client = await openRaw(server.url);
  client.say(ALL);
  await client.take(2);
  const stream = await fetch(`${server.url}/api/v1/events/stream`);
  expect(stream.status).toBe(200);
  expect((await fetch(`${server.url}/api/v1/events/stream`)).status).toBe(503);
  await stream.body?.cancel();
});

test('who asks without an upgrade is told what an upgrade would be told', async () => {
  const app = 'https://app.example.com';
  const { url } = await openServer({
    readTokens: ['reader'],
    allowOrigins: [app],
    websocket: { maxConnections: 1 },
  });
  const ask = (headers: Record<string, string>) => fetch(`${url}/ws`, { headers });
  expect((await ask({})).status).toBe(401);
  expect((await ask({ Authorization: 'Bearer reader', Origin: 'https://evil.example.com' })).status).toBe(
    403,
  );
  const fitting = await ask({ Authorization: 'Bearer reader', Origin: app });
  expect([fitting.status, fitting.headers.get('upgrade')]).toEqual([426, 'websocket']);
  expect(fitting.headers.get('access-control-allow-origin')).toBe(app);
  expect(await fitting.json()).toEqual({ error: expect.stringContaining('flagent.v1') });
  await openRaw(url, { protocols: bearerProtocols('reader') });
  const full = await ask({ Authorization: 'Bearer reader' });
  expect([full.status, full.headers.get('retry-after')]).toEqual([503, '5']);
  expect((await fetch(`${url}/ws`, { method: 'POST' })).status).toBe(404);
});

test('sockets are opened at their path alone, and nowhere when they are switched off', async () => {
  const moved = await openServer({ websocket: { path: '/live/flags' } });
  expect((await refusal(socketUrlOf(moved.url))).status).toBe(404);
  const socket = new WebSocketOfPackage(socketUrlOf(moved.url, '/live/flags?a=b'), ['flagent.v1']);
  onTestFinished(() => socket.terminate());
  await new Promise((resolve) => socket.on('open', resolve));
  const off = await openServer({ websocket: { enabled: false } });
  expect((await refusal(socketUrlOf(off.url))).status).toBe(404);
  expect((await fetch(`${off.url}/ws`)).status).toBe(404);
});

test('sockets may have a port of their own, where the server answers too', async () => {
  const server = createFlagentServer({ database: ':memory:', websocket: { port: 0 }, closeTimeoutMs: 500 });
  onTestFinished(() => server.close());
  const { url, webSocketUrl = '' } = await server.listen({ port: 0 });
  const ownUrl = webSocketUrl.replace('ws:', 'http:').replace('/ws', '');
  expect(ownUrl).not.toBe(url);
  const client = await openRaw(ownUrl);
  client.say(ALL);
  expect(await client.take(2)).toEqual(['subscribed s', 'snapshot 0: ']);
  expect((await refusal(socketUrlOf(url))).status).toBe(426);
  expect((await fetch(`${ownUrl}/api/v1/health`)).status).toBe(200);
  await server.close();
  expect(await client.closed).toBe(1001);
  await expect(fetch(ownUrl)).rejects.toThrow();
});

test('a request that only offers another protocol is answered like any other', async () => {
  const { url } = await openServer();
  const { hostname, port } = new URL(url);
  for (const [path, status] of [
    ['/api/v1/health', 200],
    ['/ws', 426],
  ] as const) {
    const socket = connect(Number(port), hostname);
    socket.end(
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n`,
    );
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text.split('\r\n', 1)).toEqual([expect.stringContaining(`HTTP/1.1 ${status} `)]);
  }
});

test.each<[string, { upgrade: string }, 'open' | 'closed', RegExp]>([
  ['of another protocol', { upgrade: 'h2c' }, 'open', /^HTTP\/1\.1 400 (.*\r\n)+.*without an Upgrade header/],
  ['while it closes', { upgrade: 'websocket' }, 'closed', /^HTTP\/1\.1 503 (.*\r\n)+.*is closing/],
])('an upgrade %s is refused in words, and the socket does not stay', async (_, headers, state, words) => {
  const { server } = await openServer();
  if (state === 'closed') await server.close();
  const events: string[] = [];
  const socket = Object.assign(new EventEmitter(), {
    end: (text: string) => events.push(text),
    destroy: () => events.push('destroyed'),
  });
  server.upgrade({ url: '/ws', headers } as never, socket as never, Buffer.alloc(0));
  expect(events).toEqual([expect.stringMatching(words)]);
  socket.emit('finish');
  // A client that is gone before it was answered.
  socket.emit('error', new Error('reset'));
  expect(events.slice(1)).toEqual(['destroyed', 'destroyed']);
});

test('a client that does not read is cut, one that reads gets everything, and the first goes on where it was', async () => {
  const server = await openServer({ maxQueuedBytes: 64 * 1024, keepAliveIntervalMs: 60_000 });
  await create(server, 'a');
  const slow = await openRaw(server.url);
  const quick = await openRaw(server.url);
  for (const client of [slow, quick]) client.say(ALL);
  for (const client of [slow, quick]) await client.take(2);
  slow.socket.pause();
  let edits = 0;
  const attachment = { text: 'x'.repeat(200_000) };
  await server.rest('POST', '/flags/1/variants', { key: 'on' });
  while (server.server.streams === 2) {
    edits += 1;
    await server.rest('PUT', '/flags/1/variants/1', { key: `on-${edits}`, attachment });
    if (edits > 500) throw new Error('The slow client was never cut.');
  }
  expect(await quick.take(edits + 1)).toHaveLength(edits + 1);
  slow.socket.resume();
  expect(await slow.closed).toBe(1006);
  const again = await openRaw(server.url);
  again.say({ ...ALL, lastEventId: `${server.server.source.epoch}.${edits + 1}` });
  expect(await again.take(3)).toEqual([
    'subscribed s',
    `${edits + 2} FLAG_UPDATED a`,
    `position ${edits + 2}`,
  ]);
});

test('a question that waited for the client to read is answered when it has, though nothing more is asked', async () => {
  const server = await openServer({ maxQueuedBytes: 64 * 1024 * 1024, keepAliveIntervalMs: 60_000 });
  await create(server, 'a');
  const client = await openRaw(server.url);
  client.say(ALL);
  await client.take(2);
  client.socket.pause();
  // More than all buffers on the way take.
  const attachment = { text: 'x'.repeat(500_000) };
  await server.rest('POST', '/flags/1/variants', { key: 'on' });
  for (let edit = 1; edit <= 40; edit += 1) {
    await server.rest('PUT', '/flags/1/variants/1', { key: `on-${edit}`, attachment });
  }
  client.say({ type: 'ping' });
  await server.rest('GET', '/health');
  client.socket.resume();
  const heard = await client.take(42);
  expect(heard.filter((words) => words === 'pong')).toHaveLength(1);
});

test('what a client asks and does not read answers to stays with it until it reads, and then is answered', async () => {
  const server = await openServer();
  const client = await openRaw(server.url);
  client.socket.pause();
  // An answer repeats the id of the entity, so that both directions fill up.
  const question = JSON.stringify({ type: 'evaluate', id: 'q', flagKey: 'a', entityID: 'x'.repeat(10_000) });
  const sent = () => new Promise<'sent'>((done) => client.socket.send(question, () => done('sent')));
  let asked = 0;
  let last: 'sent' | 'stuck' = 'sent';
  // 40 MB is more than all buffers on the way take.
  while (last === 'sent' && asked < 4_000) {
    asked += 1;
    last = await Promise.race([sent(), setTimeout(1_000, 'stuck' as const)]);
  }
  expect(last).toBe('stuck');
  client.socket.resume();
  expect(new Set(await client.take(asked))).toEqual(new Set(['result q null FLAG_NOT_FOUND']));
});

test('a client that takes long over what it was sent lives as long as it pings', async () => {
  const server = await openServer({
    maxQueuedBytes: 64 * 1024 * 1024,
    keepAliveIntervalMs: 60_000,
    websocket: { pingIntervalMs: 1_000 },
  });
  await create(server, 'a');
  const client = await openRaw(server.url);
  client.say(ALL);
  await client.take(2);
  // It can answer no ping now: that of the server waits behind more than all buffers on the way take.
  client.socket.pause();
  const attachment = { text: 'x'.repeat(500_000) };
  await server.rest('POST', '/flags/1/variants', { key: 'on' });
  for (let edit = 1; edit <= 40; edit += 1) {
    await server.rest('PUT', '/flags/1/variants/1', { key: `on-${edit}`, attachment });
    client.say({ type: 'ping' });
  }
  for (let ping = 0; ping < 35; ping += 1) {
    client.say({ type: 'ping' });
    await setTimeout(100);
  }
  client.socket.resume();
  const heard = await client.take(41 + 75);
  expect(heard.filter((words) => words === 'pong')).toHaveLength(75);
});

test('a client that answers no ping is cut, and one that does stays', async () => {
  const server = await openServer({ websocket: { pingIntervalMs: 50 } });
  const dead = await openRaw(server.url, { autoPong: false });
  const alive = await openRaw(server.url);
  expect(await dead.closed).toBe(1006);
  alive.say({ type: 'ping' });
  expect(await alive.take(1)).toEqual(['pong']);
  expect((await server.rest('GET', '/health')).json).toMatchObject({ sockets: 1 });
});

test('a half-open socket is noticed', async () => {
  const server = await openServer({ websocket: { pingIntervalMs: 50 } });
  const proxy = await startFaultProxy(server.url);
  onTestFinished(() => proxy.stop());
  const client = await openRaw(proxy.url);
  client.say(ALL);
  await client.take(2);
  proxy.stall();
  await eventually(() => server.server.streams === 0);
  await eventually(async () => {
    const { json } = await server.rest('GET', '/health');
    return (json as { sockets: number }).sockets === 0;
  });
});

test('close says bye to each client with its own time, with a stream or without, and takes bounded time', async () => {
  const server = await openServer({ drainSpreadMs: 1_000_000, closeTimeoutMs: 200 });
  const streaming = await Promise.all([1, 2].map(() => openRaw(server.url)));
  for (const client of streaming) {
    client.say(ALL);
    await client.take(2);
  }
  const silent = await Promise.all([1, 2].map(() => openRaw(server.url)));
  // One that never answers the close would hold it up for ever.
  const rude = await openRaw(server.url);
  rude.socket.pause();
  const byes: number[] = [];
  for (const { socket } of [...streaming, ...silent]) {
    socket.on('message', (data) => byes.push(JSON.parse(data.toString()).data.retryAfterMs));
  }
  await Promise.all([server.server.close(), server.server.close()]);
  for (const client of [...streaming, ...silent]) expect(await client.closed).toBe(1001);
  expect(new Set(byes).size).toBeGreaterThan(1);
  expect(byes).toHaveLength(4);
});
