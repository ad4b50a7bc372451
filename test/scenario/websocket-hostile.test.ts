/** Frames that no decent client sends: each is answered with the code that fits, nobody else notices, and the server goes on. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openServer } from './server-kit.ts';
import { eventually } from './sse-client-kit.ts';
import { openRaw } from './websocket-kit.ts';

/** Beyond the upgrade, byte by byte. */
async function openBytes(url: string): Promise<{
  readonly socket: Socket;
  /** The code of the close frame that the server sends. */
  readonly closeCode: Promise<number | undefined>;
}> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString()).toMatch(/^HTTP\/1\.1 101 /);
  const closeCode = (async () => {
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
    });
    await once(socket, 'close');
    // The last frame of all: two bytes of head, and as many of a code as it is long.
    const at = bytes.lastIndexOf(0x88);
    return at === -1 ? undefined : bytes.readUInt16BE(at + 2);
  })();
  return { socket, closeCode };
}

/** A frame of a client; the mask of zeros leaves the payload as it is. */
function frame(firstByte: number, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload);
  const head =
    bytes.length < 126
      ? [firstByte, 0x80 | bytes.length]
      : [firstByte, 0x80 | 126, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), bytes]);
}

const TEXT = 0x81;
const BINARY = 0x82;
const PING = 0x89;

test.each<[string, Buffer, number]>([
  ['text that is not JSON', frame(TEXT, 'GET / HTTP/1.1'), 1007],
  ['text that is not UTF-8', frame(TEXT, Buffer.from([0xff, 0xfe])), 1007],
  ['bytes', frame(BINARY, '{"type":"ping"}'), 1003],
  ['a frame without a mask', Buffer.from([TEXT, 2, 0x7b, 0x7d]), 1002],
  ['a reserved bit', frame(TEXT | 0x40, '{}'), 1002],
  ['a reserved opcode', frame(0x83, '{}'), 1002],
  ['the continuation of nothing', frame(0x80, '{}'), 1002],
  ['a ping of 126 bytes', frame(PING, 'x'.repeat(126)), 1002],
  ['a ping in pieces', frame(0x09, 'x'), 1002],
  [
    'a message over the limit, by its own word',
    Buffer.from([TEXT, 0xff, 0, 0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0]),
    1009,
  ],
  [
    'a message over the limit in pieces',
    Buffer.concat([frame(0x01, 'x'.repeat(1500)), frame(0x80, 'x'.repeat(1500))]),
    1009,
  ],
])('%s closes its own socket with the code that fits', async (_, bytes, code) => {
  const server = await openServer({ websocket: { maxFrameBytes: 2_000 } });
  const bystander = await openRaw(server.url);
  bystander.say({ type: 'subscribe', id: 's', all: true });
  await bystander.take(2);
  const { socket, closeCode } = await openBytes(server.url);
  socket.write(bytes);
  expect(await closeCode).toBe(code);
  await server.rest('POST', '/flags', { key: 'a', description: '' });
  expect(await bystander.take(1)).toEqual(['1 FLAG_CREATED a']);
  await eventually(async () => {
    const { json } = await server.rest('GET', '/health');
    return (json as { sockets: number }).sockets === 1;
  });
});

test('a message in pieces, cut anywhere by the network and with pings in between, is one message', async () => {
  const { url } = await openServer();
  const { socket } = await openBytes(url);
  const answers: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => answers.push(chunk));
  const message = Buffer.concat([
    frame(0x01, '{"type":"ev'),
    frame(PING, 'are you there'),
    frame(0x00, 'aluate","id":"ü",'.slice(0, 9)),
    frame(0x80, 'aluate","id":"ü",'.slice(9)),
  ]);
  // Not a message yet: the rest of it comes byte by byte.
  const whole = Buffer.concat([message.subarray(0, -1), Buffer.alloc(0)]);
  for (const byte of whole) socket.write(Uint8Array.of(byte));
  socket.write(message.subarray(-1));
  await eventually(() => Buffer.concat(answers).includes('"type":"error"'));
  expect(Buffer.concat(answers).includes('are you there')).toBe(true);
});

test('clients that vanish in the middle of anything leave nothing behind', async () => {
  const server = await openServer();
  const pieces = frame(TEXT, '{"type":"subscribe","id":"s","all":true}');
  for (let cut = 1; cut <= pieces.length; cut += 5) {
    const { socket } = await openBytes(server.url);
    socket.write(pieces.subarray(0, cut), () =>
      cut % 2 === 0 ? socket.destroy() : socket.resetAndDestroy(),
    );
  }
  await eventually(async () => {
    const { json } = await server.rest('GET', '/health');
    return (json as { sockets: number }).sockets === 0 && server.server.streams === 0;
  });
});

test('names that every object has are flags, entities and subscriptions like any other', async () => {
  const { url } = await openServer();
  const client = await openRaw(url);
  client.say('{"type":"subscribe","id":"__proto__","flagKeys":["constructor","__proto__"]}');
  client.say(
    '{"type":"evaluate","id":"constructor","flagKey":"__proto__","entityContext":{"__proto__":"x","constructor":1}}',
  );
  client.say('{"type":"unsubscribe","id":"__proto__"}');
  client.say('{"type":"unsubscribe","id":"toString"}');
  expect(await client.take(4)).toEqual([
    'subscribed __proto__',
    'snapshot 0: ',
    'result constructor null FLAG_NOT_FOUND',
    'error toString not_found',
  ]);
});

test('JSON as deep as a message can be is answered', async () => {
  const { url } = await openServer();
  const client = await openRaw(url);
  const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
  client.say(`{"type":"evaluate","id":"q","flagKey":"a","entityContext":${deep}}`);
  client.say(`{"type":"evaluate","id":"r","flagKey":"a","entityContext":{"a":${deep}}}`);
  client.say({ type: 'ping' });
  // Where a parser has no room for so much depth it says so, and the text counts as none.
  const answers = await Promise.race([client.take(3), client.closed]);
  expect([['error q invalid_data', 'error r invalid_data', 'pong'], 1007]).toContainEqual(answers);
});
