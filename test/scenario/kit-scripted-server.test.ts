/** The scripted server plays what it was given, byte for byte, and remembers who asked. */
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  type AnswerScript,
  answers,
  buildFlag,
  changeEvent,
  type ScriptedServer,
  snapshotEvent,
  splitText,
  startScriptedServer,
} from '../../src/testing/index.ts';

const started: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
});

async function start(script: AnswerScript | Readonly<Record<string, AnswerScript>>): Promise<ScriptedServer> {
  const server = await startScriptedServer(script);
  started.push(server);
  return server;
}

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

/** Reads pieces until all bytes together hold as many as wanted; without a wish, to the end. */
async function readPieces(response: Response, wantedBytes = Number.POSITIVE_INFINITY): Promise<Uint8Array[]> {
  const reader = response.body?.getReader();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  while (reader !== undefined && bytes < wantedBytes) {
    // A body that is broken off keeps what came before.
    const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
    if (done || value === undefined) break;
    pieces.push(value);
    bytes += value.length;
  }
  return pieces;
}

/** What a client without any HTTP of its own gets, and how the connection ends: `end`, or the code of the error. */
function rawExchange({ url }: ScriptedServer): Promise<{ text: string; ended: string }> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    socket.on('end', () => resolve({ text, ended: 'end' }));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve({ text, ended: error.code ?? '' }));
    socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  });
}

test('plays a list in order and repeats its last answer', async () => {
  const { url } = await start([answers.status(503), answers.status(401), answers.status(204)]);
  const statuses = [];
  for (let asked = 0; asked < 4; asked += 1) statuses.push(await statusOf(url));
  expect(statuses).toEqual([503, 401, 204, 204]);
});

test('a function answers by the request and its number', async () => {
  const { url } = await start(({ query }, index) => answers.status(Number(query.get('base')) + index));
  expect([await statusOf(`${url}?base=400`), await statusOf(`${url}?base=500`)]).toEqual([400, 501]);
});

test('each path has a script of its own, and there is nothing elsewhere', async () => {
  const { url } = await start({
    '/a': [answers.status(500), answers.status(501)],
    '/b': [],
    '/c': [answers.json(1)],
  });
  const statuses = [];
  for (const path of ['/a', '/c', '/a', '/b', '/d']) statuses.push(await statusOf(url + path));
  expect(statuses).toEqual([500, 200, 501, 404, 404]);
});

test('remembers requests with path, query, headers and time, and hands each out once', async () => {
  const server = await start([answers.status(200)]);
  await fetch(`${server.url}/first?tag=a&tag=b`, { headers: { 'Last-Event-ID': 'e.7' } });
  await fetch(`${server.url}/second`, { method: 'POST' });
  const [first, second] = [await server.nextRequest(), await server.nextRequest()];
  expect(first).toMatchObject({ method: 'GET', path: '/first', headers: { 'last-event-id': 'e.7' } });
  expect(first.query.getAll('tag')).toEqual(['a', 'b']);
  expect(second).toMatchObject({ method: 'POST', path: '/second' });
  expect(second.atMs).toBeGreaterThanOrEqual(first.atMs);
  expect(server.requests).toEqual([first, second]);
  const third = server.nextRequest();
  await fetch(`${server.url}/third`);
  expect((await third).path).toBe('/third');
});

test('lets pages of other origins get as far as the fault', async () => {
  const server = await start([answers.status(503, { 'retry-after': '7' })]);
  const preflight = await fetch(server.url, {
    method: 'OPTIONS',
    headers: { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
  const answer = await fetch(server.url);
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(answer.headers.get('access-control-expose-headers')).toContain('Retry-After');
  expect(server.requests).toHaveLength(1);
});

test('headers can be replaced and left out', async () => {
  const { url } = await start([
    { headers: { 'Content-Type': 'text/html' } },
    { headers: { 'content-type': '', 'x-own': 'yes' } },
  ]);
  expect((await fetch(url)).headers.get('content-type')).toBe('text/html');
  const { headers } = await fetch(url);
  expect([headers.get('content-type'), headers.get('x-own')]).toEqual([null, 'yes']);
});

test('a stream stays open after its last piece until the client leaves', async () => {
  const server = await start([answers.stream(['data: 1\n\n'])]);
  const leave = new AbortController();
  const response = await fetch(server.url, { signal: leave.signal });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(Buffer.concat(await readPieces(response, 9)).toString()).toBe('data: 1\n\n');
  expect(server.open).toBe(1);
  leave.abort();
  await expect.poll(() => server.open, { timeout: 10_000 }).toBe(0);
});

test('pieces split inside a character arrive apart and give the same text', async () => {
  const text = 'data: é€😀\n\n';
  const { url } = await start([answers.stream(splitText(text), { end: 'complete' })]);
  const pieces = await readPieces(await fetch(url));
  expect(Buffer.concat(pieces).toString()).toBe(text);
  expect(pieces.length).toBeGreaterThan(3);
});

test('a pause holds back what follows it, and only that', async () => {
  const { url } = await start([{ body: ['a', { pauseMs: 60_000 }, 'b'] }]);
  expect(Buffer.concat(await readPieces(await fetch(url), 1)).toString()).toBe('a');
});

test.each(['flushed', 'unflushed'] as const)(
  'a body that is %s gzip comes out whole at its end',
  async (gzip) => {
    const { url } = await start([{ body: ['data: 1\n\n', 'data: 2\n\n'], gzip }]);
    const response = await fetch(url);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.text()).toBe('data: 1\n\ndata: 2\n\n');
  },
);

test('gzip that is flushed brings each event at once; unflushed brings none', async () => {
  const event = 'data: 1\n\n';
  const flushed = await start([answers.stream([event], { gzip: 'flushed' })]);
  expect(Buffer.concat(await readPieces(await fetch(flushed.url), event.length)).toString()).toBe(event);
  const unflushed = await start([
    answers.stream([event, { pauseMs: 100 }], { gzip: 'unflushed', end: 'fin' }),
  ]);
  const pieces = await readPieces(await fetch(unflushed.url));
  expect(Buffer.concat(pieces).toString()).toBe('');
});

test.each([
  ['reset', 'ECONNRESET'],
  ['fin', 'end'],
] as const)('a %s before the headers is an end without an answer', async (how, ended) => {
  expect(await rawExchange(await start([answers.dropped(how)]))).toEqual({ text: '', ended });
});

test.each([
  ['reset', 'ECONNRESET'],
  ['fin', 'end'],
] as const)('a %s in the middle of a body leaves it unfinished', async (end, ended) => {
  const heard = await rawExchange(await start([{ body: ['half', { pauseMs: 50 }], end }]));
  expect(heard.text).toContain('half');
  expect(heard.text).not.toContain('\r\n0\r\n');
  expect(heard.ended).toBe(ended);
});

test('silence takes the request and says nothing', async () => {
  const server = await start([answers.silence()]);
  const leave = new AbortController();
  const answer = fetch(server.url, { signal: leave.signal }).then(
    () => 'answered',
    (error: Error) => error.name,
  );
  await server.nextRequest();
  expect(server.open).toBe(1);
  leave.abort();
  expect(await answer).toBe('AbortError');
});

test('late headers come after their time', async () => {
  const server = await start([{ headersAfterMs: 80 }]);
  const beforeMs = performance.now();
  await fetch(server.url);
  expect(performance.now() - beforeMs).toBeGreaterThanOrEqual(75);
});

test('an endless event goes on until its client has had enough, and again for the next one', async () => {
  const server = await start([answers.endlessEvent()]);
  for (let asked = 0; asked < 2; asked += 1) {
    const leave = new AbortController();
    const pieces = await readPieces(await fetch(server.url, { signal: leave.signal }), 1_000_000);
    leave.abort();
    const text = Buffer.concat(pieces).toString();
    expect(text.startsWith('event: snapshot\ndata: xxx')).toBe(true);
    expect(text).not.toContain('\n\n');
  }
  await expect.poll(() => server.open, { timeout: 10_000 }).toBe(0);
});

test('a redirect leads on, and a loop has no end', async () => {
  const server = await start({
    '/old': [answers.redirect('/new')],
    '/new': [answers.json('here')],
    '/loop': [answers.redirect('/loop')],
  });
  expect(await (await fetch(`${server.url}/old`)).json()).toBe('here');
  await expect(fetch(`${server.url}/loop`)).rejects.toThrow();
});

test('events of one script belong to one epoch', () => {
  const flag = buildFlag('a');
  expect(snapshotEvent(3, [flag])).toMatch(/^id: scripted\.3\nevent: snapshot\ndata: .*"flags":\[\{.*\n\n$/);
  expect(changeEvent(4, flag)).toMatch(/^id: scripted\.4\nevent: flag_updated\n/);
  expect(changeEvent(5, flag, { type: 'FLAG_DELETED', epoch: 'next' })).toMatch(
    /^id: next\.5\nevent: flag_deleted\ndata: .*"data":"a"/,
  );
});

test('closing ends what is open', async () => {
  const server = await startScriptedServer([answers.silence()]);
  const answer = fetch(server.url).then(
    () => 'answered',
    () => 'ended',
  );
  await server.nextRequest();
  await server.close();
  expect(await answer).toBe('ended');
});
