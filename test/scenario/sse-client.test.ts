/** FlagentSSEClient against the real server, through a network that breaks. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { FlagentSSEClient } from '../../src/index.ts';
import type { FlagentServerOptions } from '../../src/server/index.ts';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.ts';
import { startTestServer, type TestServer } from '../../src/testing/test-server.ts';
import { startFlagServer } from '../kit/flag-server.ts';
import { eventually, flag, listening, openClient } from './sse-client-kit.ts';

async function openServer(options: FlagentServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer({ closeTimeoutMs: 500, ...options });
  onTestFinished(() => server.close());
  return server;
}

async function openProxy(target: string): Promise<FaultProxy> {
  const proxy = await startFaultProxy(target);
  onTestFinished(() => proxy.stop());
  return proxy;
}

async function health({ url }: { url: string }): Promise<Record<string, unknown>> {
  return (await (await fetch(`${url}/api/v1/health`)).json()) as Record<string, unknown>;
}

test('a subscriber hears the flags that are there, then every edit once', async () => {
  const server = await openServer();
  await server.importFlags([flag('a', 'a1'), flag('b', 'b1')]);
  const { client } = openClient({ url: server.url });
  const all = listening();
  client.subscribe(all.listen);
  await eventually(() => all.lines.length === 2);
  for (let edit = 2; edit <= 20; edit += 1) {
    await server.importFlags([flag('a', `a${edit}`)]);
    await eventually(() => all.lines.length === edit + 1);
  }
  expect(all.lines).toEqual([
    'a: undefined → a1',
    'b: undefined → b1',
    ...Array.from({ length: 19 }, (_, index) => `a: a${index + 1} → a${index + 2} FLAG_UPDATED`),
  ]);
});

test('each kind of subscription hears what it selects, and the server sends no more than all of them want', async () => {
  const server = await openServer();
  await server.importFlags([flag('a', 'a1', ['web']), flag('b', 'b1'), flag('c', 'c1'), flag('d', 'd1')]);
  const { client, requests, live } = openClient({ url: server.url });
  const [key, keys, tagged, segments] = [listening(), listening(), listening(), listening()];
  client.subscribe('b', key.listen);
  client.subscribe({ flagKeys: ['b', 'd'] }, keys.listen);
  client.subscribe({ tags: ['web'] }, tagged.listen);
  client.subscribe({ segmentsOf: 'c' }, segments.listen);
  await live();
  expect(requests.map(({ url }) => new URL(url).search)).toEqual([
    '?flagKey=b&flagKey=d&tag=web&segmentsOf=c',
  ]);
  await eventually(() => segments.lines.length === 1);
  await server.importFlags([flag('b', 'b2', ['web'])]);
  await server.importFlags([flag('b', 'b3')]);
  await server.importFlags([flag('c', 'c2')]);
  await server.importFlags([{ ...flag('c', 'c3'), segments: [] }]);
  await eventually(() => segments.lines.length === 2);
  expect(key.lines).toEqual(['b: undefined → b1', 'b: b1 → b2 FLAG_UPDATED', 'b: b2 → b3 FLAG_UPDATED']);
  expect(keys.lines).toEqual([...key.lines.slice(0, 1), 'd: undefined → d1', ...key.lines.slice(1)]);
  expect(tagged.lines).toEqual(['a: undefined → a1', 'b: b1 → b2 FLAG_UPDATED', 'b: b2 → b3 FLAG_UPDATED']);
  expect(segments.lines).toEqual(['c: undefined → c1', 'c: c2 → c3 FLAG_UPDATED']);
});

test('the first subscription connects, the last stop ends the stream at the server', async () => {
  const server = await openServer();
  const { client, live } = openClient({ url: server.url });
  expect(client.status).toEqual({ is: 'paused', reasons: ['no subscription'] });
  const stops = [client.subscribeAll(() => {}), client.subscribe({ tags: ['web'] }, () => {})];
  await live();
  await eventually(async () => (await health(server)).streams === 1);
  for (const stop of stops) stop();
  await eventually(async () => (await health(server)).streams === 0);
  expect(client.status).toEqual({ is: 'paused', reasons: ['no subscription'] });
  client.subscribeAll(() => {});
  await live();
});

test('a cut stream goes on where it was, and brings what was edited meanwhile', async () => {
  const server = await openServer();
  await server.importFlags([flag('a', 'a1')]);
  const proxy = await openProxy(server.url);
  const { client, requests, live } = openClient({ url: proxy.url });
  const all = listening();
  client.subscribe(all.listen);
  await eventually(() => all.lines.length === 1);
  proxy.refuse();
  await server.importFlags([flag('a', 'a2')]);
  await proxy.restore();
  await live();
  await eventually(() => all.lines.length === 2);
  expect(all.lines[1]).toBe('a: a1 → a2 FLAG_UPDATED');
  expect(requests.at(-1)?.headers['last-event-id']).toMatch(/\.1$/);
  expect(await health(server)).toMatchObject({ resumed: 1 });
});

test('a stream that is cut inside an event applies none of it twice', async () => {
  const server = await openServer();
  await server.importFlags([flag('a', 'a1')]);
  const proxy = await openProxy(server.url);
  const { client, requests } = openClient({ url: proxy.url });
  const all = listening();
  client.subscribe(all.listen);
  await eventually(() => all.lines.length === 1);
  proxy.cutAfter(100);
  await server.importFlags([flag('a', 'a2')]);
  await eventually(() => client.status.is !== 'live');
  await proxy.restore();
  await eventually(() => all.lines.length === 2);
  await server.importFlags([flag('a', 'a3')]);
  await eventually(() => all.lines.length === 3);
  expect(all.lines.slice(1)).toEqual(['a: a1 → a2 FLAG_UPDATED', 'a: a2 → a3 FLAG_UPDATED']);
  // The id of an event that has not come whole is never sent.
  expect(requests[1]?.headers['last-event-id']).toMatch(/\.1$/);
});

test('a server that was killed and comes back is followed again, with every edit', async () => {
  const server = await startFlagServer();
  onTestFinished(() => server.close());
  const add = (key: string) =>
    server.rest('/import', { method: 'POST', body: { flags: [flag(key, 'here')] } });
  const { client, live } = openClient({ url: server.url });
  const all = listening();
  client.subscribe(all.listen);
  await live();
  await add('a');
  await eventually(() => all.lines.length === 1);
  await server.restart('SIGKILL');
  await add('b');
  await eventually(() => all.lines.length === 2);
  expect(all.lines).toEqual(['a: undefined → here FLAG_CREATED', 'b: undefined → here FLAG_CREATED']);
});

test('a stream from which nothing comes any more is noticed and replaced', async () => {
  const server = await openServer({ keepAliveIntervalMs: 20 });
  const proxy = await openProxy(server.url);
  const { client, live } = openClient({
    url: proxy.url,
    connection: { silenceMs: 500, connectTimeoutMs: 500 },
  });
  const all = listening();
  const reasons: string[] = [];
  client.onStatus((status) => {
    if (status.is === 'waiting') reasons.push(status.reason);
  });
  client.subscribe(all.listen);
  await live();
  proxy.stall();
  await server.importFlags([flag('a', 'a1')]);
  await eventually(() => reasons.length > 0);
  expect(reasons[0]).toMatch(/no byte/);
  await proxy.restore();
  await eventually(() => all.lines.length === 1);
});

test.each(['apiKey', 'accessToken'])(
  'an expired %s is replaced once the server refuses it, and is never part of an address',
  async (option) => {
    const server = await openServer({ readTokens: ['fresh-token'], writeTokens: ['write-token'] });
    await server.importFlags([flag('a', 'a1')]);
    const tokens = ['expired-token', 'fresh-token'];
    const { client, requests } = openClient({ url: server.url, [option]: async () => tokens.shift() });
    const all = listening();
    client.subscribe(all.listen);
    await eventually(() => all.lines.length === 1);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer expired-token',
      'Bearer fresh-token',
    ]);
    expect(requests.filter(({ url }) => url.includes('token'))).toEqual([]);
  },
);

test('it gives up after maxAttempts with the reason, and tries again for a new subscription', async () => {
  const server = await openServer();
  await server.importFlags([flag('a', 'a1')]);
  const proxy = await openProxy(server.url);
  proxy.refuse();
  const { client, requests } = openClient({ url: proxy.url, connection: { maxAttempts: 3 } });
  const all = listening();
  client.subscribe(all.listen);
  await eventually(() => client.status.is === 'stopped');
  expect(client.status).toMatchObject({ reason: expect.stringMatching(/gave up after 3 attempts/) });
  expect(requests).toHaveLength(4);
  await proxy.restore();
  client.subscribe('a', () => {});
  await eventually(() => all.lines.length === 1);
});

test('in a page it listens to the page until it is closed', () => {
  const page = new EventTarget();
  const heard = vi.spyOn(page, 'addEventListener');
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  onTestFinished(() => void vi.unstubAllGlobals());
  const client = new FlagentSSEClient({ url: 'https://flags.example.com' });
  page.dispatchEvent(new Event('pagehide'));
  expect(client.status).toEqual({ is: 'paused', reasons: ['no subscription', 'the page is put away'] });
  page.dispatchEvent(new Event('pageshow'));
  expect(client.status).toEqual({ is: 'paused', reasons: ['no subscription'] });
  client.close();
  expect(
    heard.mock.calls.map(([, , options]) => (options as { signal: AbortSignal }).signal.aborted),
  ).toEqual(heard.mock.calls.map(() => true));
});

test('after close the server has no stream of it, and nothing can be subscribed', async () => {
  const server = await openServer();
  const { client, live } = openClient({ url: server.url });
  client.subscribe(() => {});
  await live();
  client.close();
  await eventually(async () => (await health(server)).streams === 0);
  expect(client.status).toEqual({ is: 'stopped', reason: 'the client was closed' });
  expect(() => client.subscribe(() => {})).toThrow(expect.objectContaining({ code: 'closed' }));
});

const url = 'https://flags.example.com';

test.each<[unknown, RegExp]>([
  [undefined, /needs an object of options/],
  [{}, /^url must be the absolute http\(s\) address .* but is missing/],
  [{ url: 'ws://flags' }, /^url must be/],
  [{ url: `${url}?apiKey=x` }, /^url must be/],
  [{ url, apikey: 'x' }, /^Unknown option apikey\. Known are: url, apiKey/],
  [{ url, apiKey: 'a', accessToken: 'b' }, /two names of one thing/],
  [{ url, apiKey: 7 }, /^apiKey must be a string or a function/],
  [{ url, apiKey: 'key\n' }, /holds a space, a line break/],
  [{ url, fetch: 'fetch' }, /no fetch here/],
  [{ url, connection: null }, /^connection must be an object/],
  [{ url, connection: { maxAttempt: 3 } }, /^Unknown option of connection maxAttempt\./],
  [{ url, connection: { maxAttempts: '3' } }, /^connection\.maxAttempts must be a number from 0, but is 3/],
  [{ url, connection: { retryBaseMs: -1 } }, /^connection\.retryBaseMs must be/],
])('refuses %j with a sentence that says what to do', (options, message) => {
  const open = () => new FlagentSSEClient(options as never);
  expect(open).toThrow(message);
  expect(open).toThrow(expect.objectContaining({ name: 'FlagError', code: 'invalid_option' }));
});

test.each([
  '',
  {},
  { flagKeys: [] },
  { flagKeys: 'a' },
  { tags: [7] },
  { segmentsOf: ['a'] },
  { tag: ['a'] },
  { flagKeys: ['a'], tags: ['b'] },
  7,
])('refuses the selector %j: it would select nothing, or everything', (selector) => {
  const client = new FlagentSSEClient({ url });
  expect(() => client.subscribe(selector as never, () => {})).toThrow(/^A selector is a flag key/);
  expect(client.status.is).toBe('paused');
});

test('refuses a listener that is no function', () => {
  const client = new FlagentSSEClient({ url });
  expect(() => client.subscribe('a', undefined as never)).toThrow(/^A listener must be a function/);
  expect(() => client.subscribeAll({} as never)).toThrow(/^A listener must be a function/);
});
