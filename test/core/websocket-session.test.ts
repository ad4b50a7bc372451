/** The session of one WebSocket client without a socket: what each frame does, one after another. */
import { expect, onTestFinished, test } from 'vitest';
import { LIMITS } from '../../src/core/protocol/limits.ts';
import { decodeServerFrame } from '../../src/core/protocol/websocket-server-frame.ts';
import { createFlag, setEnabled } from '../../src/server/edits/flags.ts';
import { evaluateAsServer } from '../../src/server/evaluate-flags.ts';
import { createFanOut } from '../../src/server/fan-out.ts';
import { openSqliteSource } from '../../src/server/index.ts';
import { createSession, type SessionParts } from '../../src/server/websocket-session.ts';
import { textsIn } from '../kit/text-frames.ts';
import { wordsOf } from '../scenario/server-kit.ts';

const newFlag = (key: string) =>
  createFlag(
    { key, description: '', isSimpleBoolean: true, dependsOn: [], environmentId: null, projectId: null },
    '',
  );

async function openSession({
  keys = ['a', 'b', 'c'],
  ...parts
}: Partial<SessionParts> & { keys?: string[] } = {}) {
  const source = openSqliteSource({ file: ':memory:' });
  for (const key of keys) await source.edit(newFlag(key));
  const fanOut = createFanOut({
    source,
    keepAliveIntervalMs: 60_000,
    maxQueuedBytes: 1_000_000,
    drainSpreadMs: 0,
    nowMs: () => 0,
  });
  onTestFinished(() => source.close());
  const said: string[] = [];
  const reports: unknown[] = [];
  const begun: string[] = [];
  const state = { isFull: false };
  /** A frame of the server in a few words. */
  const note = (text: string): void => {
    const decoded = decodeServerFrame(text);
    if (!decoded.ok) throw decoded.error;
    const frame = decoded.value;
    if (frame.kind === 'message') said.push(...wordsOf([frame.message]));
    else if (frame.kind === 'position') said.push(`position ${frame.at.revision}`);
    else if (frame.kind === 'error') said.push(`error ${frame.id} ${frame.code}: ${frame.message}`);
    else if (frame.kind === 'evaluation_result') said.push(`result ${frame.id} ${frame.result.variantKey}`);
    else said.push(frame.kind === 'subscribed' ? `subscribed ${frame.id}` : frame.kind);
  };
  const session = createSession(
    {
      get isFull() {
        return state.isFull;
      },
      send: note,
      refuse: (code, reason) => said.push(`closed ${code} ${reason}`),
      sink: {
        write: (bytes) => textsIn(bytes).forEach(note),
        queuedBytes: 0,
        end: () => said.push('ended'),
        destroy: () => said.push('destroyed'),
      },
    },
    {
      fanOut,
      evaluate: (question) => evaluateAsServer(source, question),
      maxSubscriptions: 3,
      report: (error) => reports.push(error),
      onStream: (how) => begun.push(how),
      ...parts,
    },
  );
  return {
    source,
    fanOut,
    session,
    state,
    reports,
    begun,
    ask: (frame: object) => session.receive(JSON.stringify(frame)),
    /** What has been said since the last call. */
    said: () => said.splice(0),
    enable: (id: number) => source.edit(setEnabled([id], true)),
  };
}

test('a subscription begins with its flags and goes on with each edit of them', async () => {
  const { ask, said, enable } = await openSession();
  ask({ type: 'subscribe', id: 's', flagKeys: ['a', 'b'] });
  expect(said()).toEqual(['subscribed s', 'snapshot 3: a b']);
  await enable(1);
  await enable(3);
  expect(said()).toEqual(['4 FLAG_ENABLED a']);
});

test('several subscriptions are one stream of all they name, and no change comes twice', async () => {
  const { ask, said, enable, fanOut } = await openSession();
  ask({ type: 'subscribe', id: 'one', flagKeys: ['a'] });
  ask({ type: 'subscribe', id: 'two', flagIDs: [1, 2] });
  expect(said()).toEqual(['subscribed one', 'snapshot 3: a', 'subscribed two', 'snapshot 3: a b']);
  expect(fanOut.streams).toBe(1);
  await enable(1);
  await enable(2);
  await enable(3);
  expect(said()).toEqual(['4 FLAG_ENABLED a', '5 FLAG_ENABLED b']);
  ask({ type: 'subscribe', id: 'three', all: true });
  expect(said()).toEqual(['subscribed three', 'snapshot 6: a b c']);
});

test('a subscription with the id of another one takes its place', async () => {
  const { ask, said, enable } = await openSession();
  ask({ type: 'subscribe', id: 's', flagKeys: ['a'] });
  ask({ type: 'subscribe', id: 's', flagKeys: ['b'] });
  expect(said().at(-1)).toBe('snapshot 3: b');
  await enable(1);
  expect(said()).toEqual([]);
});

test('what is no longer subscribed to is no longer sent, and without a subscription nothing is', async () => {
  const { ask, said, enable, fanOut } = await openSession();
  ask({ type: 'subscribe', id: 'one', flagKeys: ['a'] });
  ask({ type: 'subscribe', id: 'two', flagKeys: ['b'] });
  said();
  ask({ type: 'unsubscribe', id: 'one' });
  await enable(1);
  await enable(2);
  expect(said()).toEqual(['5 FLAG_ENABLED b']);
  ask({ type: 'unsubscribe', id: 'two' });
  expect(fanOut.streams).toBe(0);
  ask({ type: 'unsubscribe', id: 'two' });
  expect(said()).toEqual(['error two not_found: There is no subscription "two" on this connection.']);
});

test('a client that says what it holds gets what it missed, and where the stream then stands', async () => {
  const { ask, said, source, begun } = await openSession();
  const lastEventId = `${source.epoch}.1`;
  ask({ type: 'subscribe', id: 's', all: true, lastEventId });
  expect(said()).toEqual(['subscribed s', 'batch: 2 FLAG_CREATED b, 3 FLAG_CREATED c', 'position 3']);
  ask({ type: 'subscribe', id: 't', tags: ['web'], lastEventId: 'other.1' });
  expect(said()).toEqual(['subscribed t', 'snapshot 3: a b c']);
  expect(begun).toEqual(['resumed', 'fresh']);
});

test('evaluates with the flags of the server, answers pings, and needs no subscription for either', async () => {
  const { ask, said } = await openSession();
  ask({ type: 'evaluate', id: 'q', flagKey: 'nowhere', entityID: 'u' });
  ask({ type: 'ping' });
  expect(said()).toEqual(['result q null', 'pong']);
});

test('a frame that is wrong is answered, and the next one is heard', async () => {
  const { ask, said } = await openSession();
  ask({ type: 'shout', id: 'x' });
  ask({ type: 'subscribe', id: 's' });
  ask({ type: 'ping' });
  expect(said()).toEqual([
    'error x invalid_data: type must be subscribe, unsubscribe, evaluate or ping, but is "shout".',
    expect.stringMatching(/^error s invalid_data: subscribe must name something/),
    'pong',
  ]);
});

test('who sends no JSON, or bytes, is told so and hears nothing more', async () => {
  for (const [send, code] of [
    [(session: Session) => session.receive('GET / HTTP/1.1'), 1007],
    [(session: Session) => session.receiveBinary(), 1003],
  ] as const) {
    const { ask, said, session, enable, fanOut } = await openSession();
    ask({ type: 'subscribe', id: 's', all: true });
    said();
    send(session);
    expect(said()).toEqual([
      expect.stringMatching(/^error undefined invalid_data/),
      expect.stringMatching(new RegExp(`^closed ${code} `)),
    ]);
    ask({ type: 'ping' });
    session.receiveBinary();
    await enable(1);
    expect([said(), fanOut.streams]).toEqual([[], 0]);
  }
});

type Session = Awaited<ReturnType<typeof openSession>>['session'];

test('one subscription more than allowed is refused, and the others stay as they are', async () => {
  const { ask, said, enable } = await openSession();
  for (const id of ['1', '2', '3']) ask({ type: 'subscribe', id, flagKeys: ['a'] });
  said();
  ask({ type: 'subscribe', id: '4', flagKeys: ['b'] });
  expect(said()).toEqual([
    expect.stringMatching(/^error 4 too_large: This connection has its 3 subscriptions/),
  ]);
  ask({ type: 'subscribe', id: '3', flagKeys: ['c'] });
  expect(said()).toEqual(['subscribed 3', 'snapshot 3: a c']);
  await enable(2);
  expect(said()).toEqual([]);
});

test('all subscriptions together may name no more than one of them might', async () => {
  const { ask, said } = await openSession();
  const names = (prefix: string) => Array.from({ length: LIMITS.filterNames - 1 }, (_, n) => `${prefix}${n}`);
  ask({ type: 'subscribe', id: 'one', flagKeys: names('x') });
  ask({ type: 'subscribe', id: 'two', flagKeys: names('y') });
  expect(said().at(-1)).toMatch(/^error two too_large: The filter has 1998 names/);
});

test('what a client asks for waits until it has taken what it was sent, in order', async () => {
  const { ask, said, state, session, enable } = await openSession();
  ask({ type: 'subscribe', id: 'one', flagKeys: ['a'] });
  state.isFull = true;
  ask({ type: 'subscribe', id: 'two', flagKeys: ['b'] });
  ask({ type: 'ping' });
  await enable(1);
  expect(said()).toEqual(['subscribed one', 'snapshot 3: a', '4 FLAG_ENABLED a']);
  session.drained();
  expect(said()).toEqual([]);
  state.isFull = false;
  session.drained();
  expect(said()).toEqual(['subscribed two', 'snapshot 4: a b', 'pong']);
});

test('pings may wait, and more than a few messages say that the client should be read no further', async () => {
  const { ask, said, state, session } = await openSession();
  state.isFull = true;
  for (let ping = 0; ping < 1_000; ping += 1) ask({ type: 'ping' });
  expect(session.isBehind).toBe(false);
  ask({ type: 'shout', text: 'x'.repeat(65_536) });
  expect(session.isBehind).toBe(true);
  state.isFull = false;
  session.drained();
  expect([session.isBehind, said().length]).toEqual([false, 1_001]);
});

test('what waits when the session ends is never done', async () => {
  const { ask, said, state, session, fanOut } = await openSession();
  state.isFull = true;
  ask({ type: 'subscribe', id: 's', all: true });
  session.end();
  state.isFull = false;
  session.drained();
  expect([said(), fanOut.streams]).toEqual([[], 0]);
});

test('a fault of the server is reported, and its text is not sent', async () => {
  const fault = new Error('secret path');
  const { ask, said, reports } = await openSession({
    evaluate: () => {
      throw fault;
    },
  });
  ask({ type: 'evaluate', id: 'q', flagKey: 'a' });
  expect(reports).toEqual([fault]);
  expect(said()).toEqual(['error q unreachable: The server failed. Try again; its log says more.']);
});
