/** Who gets in: tokens, scopes, origins, and the address to listen on. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createFlagentServer, type FlagentServerOptions } from '../../src/server/index.ts';
import { openServer, openStream } from './server-kit.ts';

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const NEW_FLAG = { key: 'a', description: '' };

test.each([
  ['no token', {}, 401, 401],
  ['an unknown token', bearer('nobody'), 401, 401],
  ['another scheme', { Authorization: 'Basic reader' }, 401, 401],
  ['a read token', bearer('reader'), 200, 403],
  ['a read token with the scheme in small letters', { Authorization: 'bearer reader' }, 200, 403],
  ['a write token', bearer('writer'), 200, 200],
])('%s', async (_, headers, reading, writing) => {
  const { rest, url } = await openServer({ readTokens: ['reader', 'second'], writeTokens: ['writer'] });
  for (const path of ['/flags', '/snapshot', '/export/eval_cache/json', '/tags']) {
    expect((await rest('GET', path, undefined, headers)).status, path).toBe(reading);
  }
  expect((await openStream(url, { headers })).response.statusCode).toBe(reading);
  const { status, json, headers: answered } = await rest('POST', '/flags', NEW_FLAG, headers);
  expect(status).toBe(writing);
  if (status === 401) expect(answered.get('www-authenticate')).toBe('Bearer');
  expect(JSON.stringify(json)).not.toMatch(/reader|second|writer|nobody/);
});

test('access is checked before the body and before whether the flag exists', async () => {
  const { rest } = await openServer({ readTokens: ['reader'] });
  expect((await rest('PUT', '/flags/99', 'not json')).status).toBe(401);
  expect((await rest('PUT', '/flags/99', 'not json', bearer('reader'))).status).toBe(403);
});

test('pages of allowed origins may call everything, and read what they need', async () => {
  const { url } = await openServer({ allowOrigins: ['https://app.example.com'] });
  const headers = { Origin: 'https://app.example.com' };
  for (const path of ['/api/v1/health', '/api/v1/events/stream', '/api/v1/nowhere', '/api/v1/flags/x']) {
    const abort = new AbortController();
    const response = await fetch(url + path, { headers, signal: abort.signal });
    expect(Object.fromEntries(response.headers), path).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-expose-headers': 'ETag, Retry-After, X-Total-Count',
      vary: 'Origin',
    });
    abort.abort();
  }
});

test('a preflight is answered for the headers that clients send, and can be kept for ten minutes', async () => {
  const { url } = await openServer({ allowOrigins: ['*'], readTokens: ['reader'] });
  const response = await fetch(`${url}/api/v1/events/stream`, {
    method: 'OPTIONS',
    headers: { Origin: 'https://anywhere.example', 'Access-Control-Request-Method': 'GET' },
  });
  expect(response.status).toBe(204);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'Authorization, Last-Event-ID, Content-Type, If-None-Match',
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE',
    'access-control-max-age': '600',
  });
});

test('pages of other origins are told nothing, and their preflight is refused in words', async () => {
  const { url } = await openServer({ allowOrigins: ['https://app.example.com'] });
  const headers = { Origin: 'https://evil.example' };
  const answer = await fetch(`${url}/api/v1/health`, { headers });
  expect([answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')]).toEqual([
    null,
    'Origin',
  ]);
  const preflight = await fetch(`${url}/api/v1/flags`, { method: 'OPTIONS', headers });
  expect([preflight.status, await preflight.json()]).toEqual([
    403,
    { error: expect.stringContaining('Add the origin to allowOrigins') },
  ]);
});

test.each<[string, FlagentServerOptions, string]>([
  ['readTokens', { readTokens: ['ok', 'sec ret'] }, 'readTokens[1] must be'],
  ['an empty token', { writeTokens: [''] }, 'writeTokens[0] must be'],
  ['an origin with a path', { allowOrigins: ['https://a.example/'] }, 'but is "https://a.example/"'],
  ['an origin without a scheme', { allowOrigins: ['a.example'] }, 'allowOrigins[0] must be'],
  [
    'a number below its least',
    { keepAliveIntervalMs: 0 },
    'keepAliveIntervalMs must be a whole number from 1',
  ],
  ['a broken number', { maxStreams: 1.5 }, 'maxStreams must be a whole number'],
  ['a number too large for a timer', { closeTimeoutMs: 2 ** 31 }, 'closeTimeoutMs must be'],
  ['an empty file name', { database: '' }, 'database must be a file name'],
])('%s is refused by name', (_, options, words) => {
  const create = () => createFlagentServer({ database: ':memory:', ...options });
  expect(create).toThrow(words);
  expect(create).not.toThrow('sec ret');
});

test('a port that is taken is named, with what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const server = createFlagentServer({ database: ':memory:' });
  onTestFinished(() => server.close());
  await expect(server.listen({ port })).rejects.toMatchObject({
    code: 'environment',
    message: expect.stringMatching(new RegExp(`Port ${port} on 127.0.0.1 is in use.*Choose another port`)),
  });
});

test('the handler serves without listening, for servers of others', async () => {
  const server = createFlagentServer({ database: ':memory:' });
  const other = createServer(server.handler).listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  expect((await fetch(`http://127.0.0.1:${port}/api/v1/health`)).status).toBe(200);
  const stream = await openStream(`http://127.0.0.1:${port}`);
  expect(server.streams).toBe(1);
  await server.close();
  expect(await stream.ended).toBe('ended');
});
