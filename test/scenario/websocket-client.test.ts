/** FlagentWebSocketClient against the real server, through a network that breaks, and against servers that misbehave. */
import { expect, onTestFinished, test, vi } from 'vitest';
import type { WebSocket as AcceptedSocket } from 'ws';
import { FlagentWebSocketClient } from '../../src/index.ts';
import { createFlagentServer, type FlagentServerOptions } from '../../src/server/index.ts';
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.ts';
import { startTestServer, type TestServer } from '../../src/testing/test-server.ts';
import { acceptSockets } from '../contract/transport-wires.ts';
import { startFlagServer } from '../kit/flag-server.ts';
import { eventually, flag, listening } from './sse-client-kit.ts';
import { openSocketClient } from './websocket-client-kit.ts';

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

/** A server that does with each question what the test says, and with each subscription nothing but to accept it. */
function answering(
  onQuestion: (socket: AcceptedSocket, question: { id: string }, asked: number) => void,
): Promise<string> {
  let asked = 0;
  return acceptSockets((socket) =>
    socket.on('message', (data) => {
      const frame = JSON.parse(data.toString());
      if (frame.type === 'subscribe') socket.send(JSON.stringify({ type: 'subscribed', id: frame.id }));
      if (frame.type !== 'evaluate') return;
      asked += 1;
      onQuestion(socket, frame, asked);
    }),
  );
}

const RESULT = {
  type: 'evaluation_result',
  flagID: 1,
  flagKey: 'a',
  flagSnapshotID: 1,
  segmentID: null,
  variantID: null,
  variantKey: 'on',
  variantAttachment: null,
  reason: 'MATCH',
  entityID: 'u',
  entityType: '',
};
const answer = (socket: AcceptedSocket, { id }: { id: string }, variantKey = 'on') =>
  socket.send(JSON.stringify({ ...RESULT, id, variantKey }));

test('the listener of one key hears its flag, as it is, as it changes, and undefined when it is gone', async () => {
  const server = await openServer();
  await server.importFlags([flag('a', 'a1'), flag('b', 'b1')]);
  const { client } = openSocketClient({ url: server.url });
  const heard: unknown[] = [];
  client.subscribe('a', (now, { type, revision }) => heard.push([now?.description, type, revision]));
  await eventually(() => heard.length === 1);
  await server.importFlags([flag('a', 'a2')]);
  await fetch(`${server.url}/api/v1/flags/${flag('a').id}`, { method: 'DELETE' });
  await eventually(() => heard.length === 3);
  expect(heard).toEqual([
    ['a1', undefined, 2],
    ['a2', 'FLAG_UPDATED', 3],
    [undefined, 'FLAG_DELETED', 4],
  ]);
});

test('selectors, subscribeAll and evaluations share one socket, and the server sends what all of them want', async () => {
  const server = await openServer();
  await server.importFlags([flag('a', 'a1', ['web']), flag('b', 'b1'), flag('c', 'c1'), flag('d', 'd1')]);
  const { client, opened, said } = openSocketClient({ url: server.url });
  const [key, keys, tagged, segments] = [listening(), listening(), listening(), listening()];
  client.subscribe('b', (_, change) => key.listen(change));
  client.subscribe({ flagKeys: ['b', 'd'] }, keys.listen);
  client.subscribe({ tags: ['web'] }, tagged.listen);
  client.subscribe({ segmentsOf: 'c' }, segments.listen);
  const { variantKey } = await client.evaluate({ flagKey: 'a', entityID: 'u' });
  expect(variantKey).toBe('on');
  await eventually(() => segments.lines.length === 1);
  await server.importFlags([flag('b', 'b2', ['web'])]);
  await eventually(() => tagged.lines.length === 2);
  expect(key.lines).toEqual(['b: undefined → b1', 'b: b1 → b2 FLAG_UPDATED']);
  expect(keys.lines).toEqual(['b: undefined → b1', 'd: undefined → d1', 'b: b1 → b2 FLAG_UPDATED']);
  expect(tagged.lines).toEqual(['a: undefined → a1', 'b: b1 → b2 FLAG_UPDATED']);
  expect(opened).toHaveLength(1);
  expect(said.filter(({ type }) => type === 'subscribe')).toEqual([
    {
      type: 'subscribe',
      id: 'stream',
      flagKeys: ['b', 'd'],
      flagIDs: [],
      tags: ['web'],
      segmentsOf: ['c'],
    },
  ]);
  const all = listening();
  client.subscribe(all.listen);
  client.subscribeAll(all.listen);
  await eventually(() => all.lines.length === 8);
});

test('an evaluation alone opens a socket and no stream', async () => {
  const server = await openServer({ readTokens: ['reader'], writeTokens: ['writer'] });
  await server.importFlags([flag('a')]);
  const { client, opened, said } = openSocketClient({ url: server.url, apiKey: 'reader' });
  expect(client.status).toEqual({ is: 'paused', reasons: ['no subscription'] });
  const question = { flagKey: 'a', entityID: 'u', entityType: 'user', entityContext: { country: 'US' } };
  expect(await client.evaluate(question)).toMatchObject({ flagKey: 'a', entityID: 'u', entityType: 'user' });
  expect(await client.evaluate({ flagKey: 'nowhere' })).toMatchObject({ reason: 'FLAG_NOT_FOUND' });
  expect(await health(server)).toMatchObject({ streams: 0, sockets: 1 });
  expect(said[0]).toEqual({ ...question, type: 'evaluate', id: 'evaluation-1' });
  expect(opened).toHaveLength(1);
  expect(client.status.is).toBe('live');
});

test('a callback hears what the promise gives, and a rejection it has heard needs nobody else', async () => {
  const url = await answering((socket, question, asked) => {
    if (asked === 1) answer(socket, question);
    else
      socket.send(JSON.stringify({ type: 'error', id: question.id, code: 'invalid_data', message: 'No.' }));
  });
  const { client } = openSocketClient({ url });
  const heard: unknown[] = [];
  const promise = client.evaluate({ flagKey: 'a' }, (result, error) =>
    heard.push([result?.variantKey, error]),
  );
  expect((await promise).variantKey).toBe('on');
  void client.evaluate({ flagKey: 'a' }, (result, error) => heard.push([result, error?.message]));
  await eventually(() => heard.length === 2);
  expect(heard).toEqual([
    ['on', undefined],
    [undefined, 'No.'],
  ]);
  expect(() => client.evaluate({ flagKey: 'a' }, 'no function' as never)).toThrow(/must be a function/);
});

test('many evaluations are answered each with its own answer, whatever the order', async () => {
  const waiting: (() => void)[] = [];
  const url = await answering((socket, question, asked) => {
    waiting.unshift(() => answer(socket, question, `v${asked}`));
    if (asked === 5) for (const reply of waiting) reply();
  });
  const { client } = openSocketClient({ url });
  const results = await Promise.all([1, 2, 3, 4, 5].map(() => client.evaluate({ flagKey: 'a' })));
  expect(results.map(({ variantKey }) => variantKey)).toEqual(['v1', 'v2', 'v3', 'v4', 'v5']);
});

test('an evaluation whose connection drops is asked once more after the reconnect', async () => {
  const url = await answering((socket, question, asked) => {
    if (asked === 1) socket.terminate();
    else answer(socket, question);
  });
  const { client, said } = openSocketClient({ url });
  expect((await client.evaluate({ flagKey: 'a' })).variantKey).toBe('on');
  expect(said.map(({ id }) => id)).toEqual(['evaluation-1', 'evaluation-1']);
});

test('an evaluation whose connection drops twice fails in words, and is asked no third time', async () => {
  const url = await answering((socket) => socket.terminate());
  const { client, said } = openSocketClient({ url });
  await expect(client.evaluate({ flagKey: 'a' })).rejects.toMatchObject({
    name: 'FlagError',
    code: 'unreachable',
    message: expect.stringMatching(/cut twice while a was evaluated/),
  });
  expect(said).toHaveLength(2);
});

test('an evaluation without an answer ends with its deadline, and says what the connection does', async () => {
  const url = await answering(() => {});
  const { client } = openSocketClient({ url, evaluateTimeoutMs: 50 });
  await expect(client.evaluate({ flagKey: 'a' })).rejects.toMatchObject({
    code: 'timeout',
    message: 'The evaluation of a had no answer for 50 ms; the connection is live.',
  });
  const dead = openSocketClient({ url: 'http://127.0.0.1:1', evaluateTimeoutMs: 50 });
  await expect(dead.client.evaluate({ flagKey: 'a' })).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringMatching(/the connection is (waiting|connecting)/),
  });
});

test('what the server complains about, and what cannot be sent, rejects with what is wrong', async () => {
  const server = await openServer();
  const { client } = openSocketClient({ url: server.url });
  const ask = (entityContext: unknown) =>
    client.evaluate({ flagKey: 'a', entityContext: entityContext as Record<string, unknown> });
  await expect(ask({ deep: { a: 1 } })).rejects.toMatchObject({
    code: 'invalid_data',
    message: expect.stringContaining('evaluate.entityContext.deep'),
  });
  await expect(ask({ big: 1n })).rejects.toMatchObject({ code: 'invalid_option' });
  await expect(client.evaluate({} as never)).rejects.toMatchObject({ code: 'invalid_option' });
});

test('a subscription that comes while an evaluation is under way costs the evaluation nothing', async () => {
  let reply = (): void => {};
  const url = await answering((socket, question) => {
    reply = () => answer(socket, question);
  });
  const { client, opened } = openSocketClient({ url });
  let variantKey: string | null = null;
  void client.evaluate({ flagKey: 'a' }, (result, error) => {
    variantKey = result?.variantKey ?? String(error);
  });
  for (const tag of ['one', 'two', 'three']) {
    const before = opened.length;
    client.subscribe({ tags: [tag] }, () => {});
    await eventually(() => opened.length > before && client.status.is === 'live');
  }
  await eventually(() => {
    reply();
    return variantKey !== null;
  });
  expect(variantKey).toBe('on');
});

test('evaluations settle when the client gives up, and a later one tries again', async () => {
  const server = await openServer();
  const proxy = await openProxy(server.url);
  proxy.refuse();
  const { client } = openSocketClient({ url: proxy.url, connection: { maxAttempts: 2 } });
  await expect(client.evaluate({ flagKey: 'a' })).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringMatching(/^stopped \(gave up after 2 attempts/),
  });
  await proxy.restore();
  expect(await client.evaluate({ flagKey: 'a' })).toMatchObject({ reason: 'FLAG_NOT_FOUND' });
});

test('after close nothing is open, what was under way is rejected, and nothing can be asked', async () => {
  const server = await openServer();
  const { client, live } = openSocketClient({ url: server.url });
  client.subscribe('a', () => {});
  await live();
  const late = client.evaluate({ flagKey: 'a' });
  client.close();
  await expect(late).rejects.toMatchObject({ code: 'closed' });
  await eventually(async () => (await health(server)).sockets === 0);
  expect(client.status).toEqual({ is: 'stopped', reason: 'the client was closed' });
  expect(() => client.subscribe(() => {})).toThrow(expect.objectContaining({ code: 'closed' }));
  await expect(client.evaluate({ flagKey: 'a' })).rejects.toMatchObject({ code: 'closed' });
});

test('a cut socket goes on where it was, and brings what was edited meanwhile', async () => {
  const server = await openServer();
  await server.importFlags([flag('a', 'a1')]);
  const proxy = await openProxy(server.url);
  const { client, said, live } = openSocketClient({ url: proxy.url });
  const all = listening();
  client.subscribe(all.listen);
  await eventually(() => all.lines.length === 1);
  proxy.refuse();
  await server.importFlags([flag('a', 'a2')]);
  await proxy.restore();
  await live();
  await eventually(() => all.lines.length === 2);
  expect(all.lines[1]).toBe('a: a1 → a2 FLAG_UPDATED');
  expect(said.at(-1)?.lastEventId).toMatch(/\.1$/);
  expect(await health(server)).toMatchObject({ resumed: 1 });
});

test('a socket that is cut inside a frame applies none of it twice', async () => {
  const server = await openServer();
  await server.importFlags([flag('a', 'a1')]);
  const proxy = await openProxy(server.url);
  const { client } = openSocketClient({ url: proxy.url });
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
});

test('frames that the network tears into bytes are whole again', async () => {
  const server = await openServer();
  await server.importFlags([flag('a', 'ü€🚩')]);
  const proxy = await openProxy(server.url);
  proxy.shape({ chunkBytes: 1 });
  const { client } = openSocketClient({ url: proxy.url });
  const all = listening();
  client.subscribe(all.listen);
  await eventually(() => all.lines.length === 1);
  expect(all.lines).toEqual(['a: undefined → ü€🚩']);
});

test('a change that was lost on the way is noticed at the next heartbeat, and everything is fetched again', async () => {
  const subscribed: unknown[] = [];
  const url = await acceptSockets((socket) =>
    socket.on('message', (data) => {
      const frame = JSON.parse(data.toString());
      subscribed.push(frame.lastEventId);
      socket.send(JSON.stringify({ type: 'subscribed', id: frame.id }));
      const revision = subscribed.length === 1 ? 1 : 3;
      const snapshot = { type: 'SNAPSHOT', revision, flags: [flag('a', `a${revision}`)] };
      socket.send(JSON.stringify({ type: 'snapshot', eventId: `e.${revision}`, data: snapshot }));
      socket.send(JSON.stringify({ type: 'position', eventId: 'e.3' }));
    }),
  );
  const { client } = openSocketClient({ url });
  const all = listening();
  client.subscribe(all.listen);
  await eventually(() => all.lines.length === 2);
  expect(all.lines).toEqual(['a: undefined → a1', 'a: a1 → a3']);
  expect(subscribed).toEqual([undefined, undefined]);
});

test('a socket from which nothing comes any more is noticed and replaced', async () => {
  const server = await openServer({ keepAliveIntervalMs: 20 });
  const proxy = await openProxy(server.url);
  const { client, live } = openSocketClient({
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

test('a server that was killed and comes back is followed again, with every edit', async () => {
  const server = await startFlagServer();
  onTestFinished(() => server.close());
  const add = (key: string) =>
    server.rest('/import', { method: 'POST', body: { flags: [flag(key, 'here')] } });
  const { client, live } = openSocketClient({ url: server.url });
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

test('a server that says goodbye is given the time that it asks for', async () => {
  const server = await openServer({ drainSpreadMs: 1_000_000 });
  const { client, live } = openSocketClient({ url: server.url });
  client.subscribe(() => {});
  await live();
  const before = Date.now();
  await server.close();
  await eventually(() => client.status.is === 'waiting');
  expect(client.status).toMatchObject({ reason: 'the server said goodbye' });
  // One in ten thousand goodbyes is shorter.
  expect(client.status).toHaveProperty(
    'retryAtMs',
    expect.toSatisfy((atMs) => atMs > before + 100),
  );
});

test('an expired token is replaced once the server refuses it, and is never part of an address', async () => {
  const server = await openServer({ readTokens: ['fresh-token'], writeTokens: ['write-token'] });
  await server.importFlags([flag('a', 'a1')]);
  let token = 'expired-token';
  const asked: string[] = [];
  const { client, opened } = openSocketClient({
    url: server.url,
    apiKey: async () => {
      const now = token;
      asked.push(now);
      token = 'fresh-token';
      return now;
    },
  });
  const all = listening();
  client.subscribe(all.listen);
  await eventually(() => all.lines.length === 1);
  expect(asked).toEqual(['expired-token', 'fresh-token']);
  expect(opened.filter(({ address }) => address.includes('token'))).toEqual([]);
});

test('a server that is full is asked again when it says so', async () => {
  const server = await openServer({ websocket: { maxConnections: 1 } });
  const first = openSocketClient({ url: server.url });
  first.client.subscribe(() => {});
  await first.live();
  const before = Date.now();
  const second = openSocketClient({ url: server.url });
  second.client.subscribe(() => {});
  await eventually(() => second.client.status.is === 'waiting');
  expect(second.client.status).toMatchObject({ reason: expect.stringContaining('503') });
  expect(second.client.status).toHaveProperty(
    'retryAtMs',
    expect.toSatisfy((atMs) => atMs >= before + 4_900),
  );
});

test('the address may be that of the socket itself, at any path and on a port of its own', async () => {
  const server = createFlagentServer({
    database: ':memory:',
    websocket: { port: 0, path: '/live/flags' },
    closeTimeoutMs: 500,
  });
  onTestFinished(() => server.close());
  const { url: base, webSocketUrl = '' } = await server.listen({ port: 0 });
  await fetch(`${base}/api/v1/import`, {
    method: 'POST',
    body: JSON.stringify({ flags: [flag('a', 'a1')] }),
  });
  const { client, opened } = openSocketClient({ url: webSocketUrl });
  const all = listening();
  client.subscribe(all.listen);
  await eventually(() => all.lines.length === 1);
  expect(opened.map(({ address }) => address)).toEqual([webSocketUrl]);
});

test.each([
  ['of the server', (base: string) => base],
  ['of its socket', (base: string) => `${base.replace('http', 'ws')}/ws`],
])('a server without WebSockets is polled, when the address is that %s', async (_, addressOf) => {
  const server = await openServer({ websocket: { enabled: false } });
  await server.importFlags([flag('a', 'a1')]);
  const { client } = openSocketClient({ url: addressOf(server.url) });
  const all = listening();
  client.subscribe(all.listen);
  await eventually(() => all.lines.length === 1);
  expect(client.status).toMatchObject({ is: 'polling', reason: expect.stringContaining('404') });
});

test('in a page it listens to the page until it is closed', () => {
  const page = new EventTarget();
  const heard = vi.spyOn(page, 'addEventListener');
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  onTestFinished(() => void vi.unstubAllGlobals());
  const client = new FlagentWebSocketClient({ url: 'https://flags.example.com' });
  page.dispatchEvent(new Event('pagehide'));
  expect(client.status).toEqual({ is: 'paused', reasons: ['no subscription', 'the page is put away'] });
  client.close();
  expect(
    heard.mock.calls.map(([, , options]) => (options as { signal: AbortSignal }).signal.aborted),
  ).toEqual(heard.mock.calls.map(() => true));
});

const url = 'https://flags.example.com';

test.each<[unknown, RegExp]>([
  [undefined, /^FlagentWebSocketClient needs an object of options/],
  [{}, /^url must be the absolute http\(s\) address .* but is missing/],
  [{ url: 'ftp://flags' }, /^url must be/],
  [{ url: `wss://flags/ws?apiKey=x` }, /^url must be/],
  [{ url: new URL(url) }, /^url must be/],
  [{ url, apikey: 'x' }, /^Unknown option apikey\. Known are: url, evaluateTimeoutMs, WebSocket, apiKey/],
  [{ url, apiKey: 'a', accessToken: 'b' }, /two names of one thing/],
  [{ url, apiKey: 'key\n' }, /holds a space, a line break/],
  [{ url, WebSocket: 'ws' }, /no WebSocket here/],
  [{ url, evaluateTimeoutMs: -1 }, /^evaluateTimeoutMs must be milliseconds from 0/],
  [{ url, connection: { maxAttempt: 3 } }, /^Unknown option of connection maxAttempt\./],
])('refuses %j with a sentence that says what to do', (options, message) => {
  const open = () => new FlagentWebSocketClient(options as never);
  expect(open).toThrow(message);
  expect(open).toThrow(expect.objectContaining({ name: 'FlagError', code: 'invalid_option' }));
});

test('refuses selectors that select nothing, and listeners that are no functions', () => {
  const client = new FlagentWebSocketClient({ url });
  expect(() => client.subscribe({ flagKeys: [] }, () => {})).toThrow(/^A selector is a flag key/);
  expect(() => client.subscribe('a', undefined as never)).toThrow(/^A listener must be a function/);
  expect(() => client.subscribeAll({} as never)).toThrow(/^A listener must be a function/);
});
