/** The fault proxy breaks connections in exactly the ways it promises, seen from a client of a plain HTTP server. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.ts';
import { listenOnLoopback } from '../../src/testing/listen-on-loopback.ts';

let server: Server;
let proxy: FaultProxy;
/** Answers of `/stream` that are open, and what the server heard of them. */
let streams: ServerResponse[];
let trace: string[];

beforeEach(async () => {
  streams = [];
  const heard: string[] = [];
  trace = heard;
  server = createServer((request, response) => {
    if (request.url !== '/stream') {
      response.end('hello');
      return;
    }
    streams.push(response);
    response.on('close', () => heard.push('stream closed'));
    response.write('first;');
  });
  proxy = await startFaultProxy(await listenOnLoopback(server));
});

afterEach(async () => {
  await proxy.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

interface RawClient {
  readonly socket: Socket;
  /** Pieces as they arrived, the HTTP head with them. */
  readonly pieces: readonly Buffer[];
  /** All of them as text. */
  text(): string;
  /** Settles with how the connection ended: `end` for a FIN, else the code of the error. */
  readonly ended: Promise<string>;
  /** Settles when all bytes so far contain the text. */
  saw(text: string): Promise<void>;
}

/** A socket that asks for `/stream`: it sees what fetch would hide. */
function openStream(): RawClient {
  const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
  const pieces: Buffer[] = [];
  const text = (): string => Buffer.concat(pieces).toString();
  socket.on('data', (bytes) => pieces.push(bytes));
  socket.write('GET /stream HTTP/1.1\r\nHost: test\r\n\r\n');
  const ended = new Promise<string>((resolve) => {
    socket.on('end', () => resolve('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  return {
    socket,
    pieces,
    text,
    ended,
    saw: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (text().includes(wanted)) resolve();
        };
        socket.on('data', look);
        look();
      }),
  };
}

const hello = async (): Promise<string> => (await fetch(proxy.url)).text();
const errorCode = async (request: Promise<unknown>): Promise<string> =>
  request.then(
    () => 'answered',
    (error: Error) => (error.cause as NodeJS.ErrnoException)?.code ?? error.message,
  );

test('at rest everything passes, and is counted', async () => {
  expect(await hello()).toBe('hello');
  const client = openStream();
  await client.saw('first;');
  expect(proxy.counts).toMatchObject({ accepted: 2, open: 2 });
  expect(proxy.counts.bytesToClient).toBeGreaterThan('hello'.length);
  expect(proxy.counts.bytesToServer).toBeGreaterThan(0);
});

test('a client that leaves is gone for the server too', async () => {
  const client = openStream();
  await client.saw('first;');
  const closed = new Promise((resolve) => streams[0]?.on('close', resolve));
  client.socket.destroy();
  await closed;
  expect(trace).toEqual(['stream closed']);
});

test('a server that goes on after the end of its client is ended when the client is gone for good', async () => {
  let ended: Promise<unknown> = Promise.resolve();
  const talker = createTcpServer({ allowHalfOpen: true }, (socket) => {
    const timer = setInterval(() => socket.write('tick;'), 5);
    ended = new Promise((resolve) => socket.on('close', resolve).on('error', () => {}));
    socket.on('close', () => clearInterval(timer));
  });
  const other = await startFaultProxy(await listenOnLoopback(talker));
  const client = connect(Number(new URL(other.url).port), '127.0.0.1');
  await new Promise((resolve) => client.once('data', resolve));
  client.destroy();
  await ended;
  await other.stop();
  await new Promise((resolve) => talker.close(resolve));
});

test("the server's own end is an end for the client, not a reset", async () => {
  const client = openStream();
  await client.saw('first;');
  streams[0]?.end('last;');
  streams[0]?.socket?.end();
  expect(await client.ended).toBe('end');
  expect(client.text()).toContain('last;');
});

test('a cut reaches the server although the connection is stalled', async () => {
  const client = openStream();
  await client.saw('first;');
  const closed = new Promise((resolve) => streams[0]?.on('close', resolve));
  proxy.stall();
  proxy.cut('fin');
  expect(await client.ended).toBe('end');
  await closed;
});

test.each([
  { how: 'reset', seen: 'ECONNRESET' },
  { how: 'fin', seen: 'end' },
] as const)('cut($how) ends an open stream with $seen, and the server hears of it', async ({ how, seen }) => {
  const client = openStream();
  await client.saw('first;');
  const closed = new Promise((resolve) => streams[0]?.on('close', resolve));
  proxy.cut(how);
  expect(await client.ended).toBe(seen);
  await closed;
  expect(proxy.counts.open).toBe(0);
  expect(await hello()).toBe('hello');
});

test('cutAfter lets exactly that many bytes through, in the middle of an event', async () => {
  const client = openStream();
  await client.saw('first;');
  const before = client.text().length;
  proxy.cutAfter(7);
  streams[0]?.write('0123456789');
  expect(await client.ended).toBe('ECONNRESET');
  // Chunked encoding puts the length and a line break before the data: "a\r\n0123".
  expect(client.text().slice(before)).toBe('a\r\n0123');
});

test('cutAfter counts connections to come from their start, until restore', async () => {
  proxy.cutAfter(4, 'fin');
  const client = openStream();
  expect(await client.ended).toBe('end');
  expect(client.text()).toBe('HTTP');
  await proxy.restore();
  expect(await hello()).toBe('hello');
});

test('refuse ends open connections and refuses new ones; restore listens on the same port', async () => {
  const client = openStream();
  await client.saw('first;');
  proxy.refuse();
  expect(await client.ended).toBe('ECONNRESET');
  expect(await errorCode(fetch(proxy.url))).toBe('ECONNREFUSED');
  await proxy.restore();
  expect(await hello()).toBe('hello');
});

test('stall is half-open: nothing passes and nobody hears of an end, until restore delivers all of it', async () => {
  const staying = openStream();
  const leaving = openStream();
  await Promise.all([staying.saw('first;'), leaving.saw('first;')]);
  proxy.stall();
  streams[0]?.write('late;');
  leaving.socket.destroy();
  const asked = hello();
  // The server's own port is not stalled: when this answer is here, the held back bytes had their time to come.
  const direct = await fetch(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  expect(await direct.text()).toBe('hello');
  expect({ seen: staying.text().includes('late;'), trace, open: proxy.counts.open }).toEqual({
    seen: false,
    trace: [],
    open: 3,
  });
  await proxy.restore();
  await staying.saw('late;');
  expect(await asked).toBe('hello');
  await expect.poll(() => trace).toEqual(['stream closed']);
});

test('delayConnect holds back what comes through new connections, and leaves open ones alone', async () => {
  const client = openStream();
  await client.saw('first;');
  proxy.delayConnect(60);
  const askedAtMs = performance.now();
  const asked = hello();
  streams[0]?.write('second;');
  await client.saw('second;');
  expect(await asked).toBe('hello');
  expect(performance.now() - askedAtMs).toBeGreaterThanOrEqual(59);
});

test('a black hole takes new connections and lets nothing through before restore', async () => {
  proxy.delayConnect(Number.POSITIVE_INFINITY);
  const inHole = openStream();
  await expect.poll(() => proxy.counts.accepted).toBe(1);
  // The server's own port is open: when this answer is here, the held back request had its time to come.
  await fetch(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  expect({ counts: proxy.counts, streams: streams.length }).toMatchObject({
    counts: { open: 1, bytesToServer: 0 },
    streams: 0,
  });
  await proxy.restore();
  await inHole.saw('first;');
  expect(await hello()).toBe('hello');
});

test('a black hole can be cut, and stopping does not wait for it', async () => {
  proxy.delayConnect(Number.POSITIVE_INFINITY);
  const client = openStream();
  await expect.poll(() => proxy.counts.accepted).toBe(1);
  proxy.cut();
  expect(await client.ended).toBe('ECONNRESET');
  openStream();
  await expect.poll(() => proxy.counts.accepted).toBe(2);
});

test('shape chunkBytes 1 hands on one byte at a time, and none is lost', async () => {
  const client = openStream();
  await client.saw('first;');
  const before = client.pieces.length;
  proxy.shape({ chunkBytes: 1 });
  streams[0]?.write('grüße;');
  await client.saw('grüße;');
  // Eight bytes of text and "8", two line breaks of chunked encoding around them. The kernel may join a few on a busy machine.
  expect(client.pieces.length - before).toBeGreaterThan(6);
});

test('shape delayMs holds bytes back on connections that are open', async () => {
  const client = openStream();
  await client.saw('first;');
  proxy.shape({ delayMs: 50 });
  const writtenAtMs = performance.now();
  streams[0]?.write('late;');
  await client.saw('late;');
  expect(performance.now() - writtenAtMs).toBeGreaterThanOrEqual(49);
});

test('shape bytesPerSecond spreads bytes over time', async () => {
  const client = openStream();
  await client.saw('first;');
  proxy.shape({ bytesPerSecond: 10_000 });
  const writtenAtMs = performance.now();
  streams[0]?.write(`${'x'.repeat(2_000)};end`);
  await client.saw(';end');
  expect(performance.now() - writtenAtMs).toBeGreaterThanOrEqual(150);
});

test('a target that is gone is a reset for the client', async () => {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  expect(await errorCode(fetch(proxy.url))).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
});
