/** Subscriptions without a hub, between a server and a clock that the test holds in its hands. */
import { afterEach, expect, test, vi } from 'vitest';
import { FlagError } from '../../src/core/errors.ts';
import type { Flag } from '../../src/core/model.ts';
import type { Message } from '../../src/core/protocol/messages.ts';
import type { FlagChange } from '../../src/core/state/flag-change.ts';
import { createFlagFeed } from '../../src/standalone/flag-feed.ts';
import { watchSurroundings } from '../../src/standalone/surroundings.ts';
import { callListener } from '../../src/system/listeners.ts';
import { createFakeSystem, settle } from '../kit/fake-system.ts';
import { createFakeTransport } from '../kit/fake-transport.ts';
import { buildFlag } from '../kit/flags.ts';

const flag = (key: string, description = '', tags: readonly string[] = []): Flag =>
  buildFlag(key, {
    id: key.charCodeAt(0),
    description,
    tags: tags.map((value, index) => ({ id: index + 1, value })),
  });

const snapshot = (revision: number, ...flags: Flag[]): Message => ({
  kind: 'snapshot',
  snapshot: { epoch: 'e', revision, flags },
  timestampMs: 0,
});

const change = (revision: number, changed: Flag): Message => ({
  kind: 'change',
  change: {
    type: 'FLAG_UPDATED',
    epoch: 'e',
    revision,
    timestampMs: 0,
    flagID: changed.id,
    flagKey: changed.key,
    flag: changed,
  },
});

function open(accessToken: () => string | undefined | Promise<string | undefined> = () => undefined) {
  const system = createFakeSystem();
  const transport = createFakeTransport();
  const feed = createFlagFeed({ url: 'http://server', policy: {}, accessToken, transport, system });
  const heard: Record<string, string[]> = {};
  /** Writes down what a subscriber hears: `a: old → new (type) @revision`. */
  const listenAs = (name: string) => {
    const lines: string[] = [];
    heard[name] = lines;
    return ({ flagKey, flag: now, previous, type, revision }: FlagChange) => {
      lines.push(
        `${flagKey}: ${previous?.description} → ${now?.description}${type ? ` ${type}` : ''} @${revision}`,
      );
    };
  };
  return { system, transport, feed, heard, listenAs };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

test('without a subscription nothing is asked of the server', async () => {
  const { transport, feed, system } = open();
  await system.advance(120_000);
  expect(transport.streams).toHaveLength(0);
  expect(feed.status).toEqual({ is: 'paused', reasons: ['no subscription'] });
});

test('subscriptions of one turn share one connection, whose filter is their union', async () => {
  const { transport, feed, listenAs } = open();
  feed.subscribe('a', listenAs('key'));
  feed.subscribe({ flagKeys: ['b', 'a'] }, listenAs('keys'));
  feed.subscribe({ tags: ['web'] }, listenAs('tags'));
  feed.subscribe({ segmentsOf: 'c' }, listenAs('segments'));
  await settle();
  expect(transport.streams).toHaveLength(1);
  expect(transport.latest().request.filter).toEqual({
    flagKeys: ['a', 'b'],
    flagIDs: [],
    tags: ['web'],
    segmentsOf: ['c'],
  });
});

test('a subscription to all flags takes the filter away', async () => {
  const { transport, feed, listenAs } = open();
  feed.subscribe('a', listenAs('key'));
  feed.subscribe(undefined, listenAs('all'));
  await settle();
  expect(transport.latest().request.filter).toBeUndefined();
});

test('a first snapshot is told as changes without a type, later edits with theirs', async () => {
  const { transport, feed, heard, listenAs } = open();
  feed.subscribe(undefined, listenAs('all'));
  feed.subscribe('b', listenAs('b'));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1'), flag('b', 'b1')));
  transport.latest().send(change(2, flag('b', 'b2')));
  expect(heard).toEqual({
    all: ['a: undefined → a1 @1', 'b: undefined → b1 @1', 'b: b1 → b2 FLAG_UPDATED @2'],
    b: ['b: undefined → b1 @1', 'b: b1 → b2 FLAG_UPDATED @2'],
  });
});

test('who subscribes later hears first what is held, without another connection', async () => {
  const { transport, feed, heard, listenAs } = open();
  feed.subscribe({ flagKeys: ['a', 'b'] }, listenAs('early'));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1'), flag('b', 'b1')));
  feed.subscribe('b', listenAs('late'));
  // It has subscribed, but has not been told what is held: this edit is part of that.
  transport.latest().send(change(2, flag('b', 'b2')));
  await settle();
  transport.latest().send(change(3, flag('b', 'b3')));
  expect(heard.late).toEqual(['b: undefined → b2 @2', 'b: b2 → b3 FLAG_UPDATED @3']);
  expect(transport.streams).toHaveLength(1);
});

test('a wider filter starts the stream over, and only what differs is told', async () => {
  const { transport, feed, heard, listenAs } = open();
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1')));
  feed.subscribe('b', listenAs('b'));
  await settle();
  expect(transport.open).toHaveLength(1);
  expect(transport.latest().request).toMatchObject({ filter: { flagKeys: ['a', 'b'] }, after: undefined });
  // Made while the stream was started over.
  transport.latest().send(snapshot(3, flag('a', 'a2'), flag('b', 'b1')));
  transport.latest().send(snapshot(3, flag('a', 'a2'), flag('b', 'b1')));
  expect(heard).toEqual({
    a: ['a: undefined → a1 @1', 'a: a1 → a2 @3'],
    b: ['b: undefined → b1 @3'],
  });
});

test('a narrower filter does not touch the stream', async () => {
  const { transport, feed, listenAs } = open();
  const stop = feed.subscribe(undefined, listenAs('all'));
  feed.subscribe('a', listenAs('a'));
  await settle();
  stop();
  feed.subscribe('b', listenAs('b'));
  await settle();
  expect(transport.streams).toHaveLength(1);
  expect(transport.open).toHaveLength(1);
});

test('stopping and subscribing again in one turn keeps the stream', async () => {
  const { transport, feed, listenAs } = open();
  const stop = feed.subscribe('a', listenAs('first'));
  await settle();
  stop();
  feed.subscribe('a', listenAs('second'));
  await settle();
  expect(transport.streams).toHaveLength(1);
  expect(transport.open).toHaveLength(1);
});

test('after the last stop the stream is closed, and the next subscription begins with nothing', async () => {
  const { transport, feed, heard, listenAs, system } = open();
  const stop = feed.subscribe('a', listenAs('first'));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1')));
  stop();
  await settle();
  expect(transport.open).toHaveLength(0);
  expect(feed.status).toEqual({ is: 'paused', reasons: ['no subscription'] });
  expect(system.waiting).toBe(0);
  feed.subscribe('a', listenAs('second'));
  await settle();
  expect(transport.latest().request.after).toBeUndefined();
  transport.latest().send(snapshot(2, flag('a', 'a2')));
  expect(heard.second).toEqual(['a: undefined → a2 @2']);
});

test('a stopped subscription hears nothing more, not even the rest of what is being told', async () => {
  const { transport, feed, heard, listenAs } = open();
  const listen = listenAs('second');
  let stopSecond = () => {};
  feed.subscribe(undefined, () => stopSecond());
  stopSecond = feed.subscribe(undefined, listen);
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1'), flag('b', 'b1')));
  expect(heard.second).toEqual([]);
});

test('a stream that was cut goes on after what is held', async () => {
  const { transport, feed, heard, listenAs, system } = open();
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1')), change(2, flag('a', 'a2')));
  transport.latest().end();
  await system.advance(5_000);
  expect(transport.latest().request.after).toEqual({ epoch: 'e', revision: 2 });
  transport.latest().send(change(3, flag('a', 'a3')));
  expect(heard.a?.at(-1)).toBe('a: a2 → a3 FLAG_UPDATED @3');
});

test.each<[string, (world: ReturnType<typeof open>) => void]>([
  ['a gap in the revisions', ({ transport }) => transport.latest().send(change(3, flag('a', 'a3')))],
  [
    'a position ahead of what is held',
    ({ transport }) => transport.latest().beat({ epoch: 'e', revision: 3 }),
  ],
  ['a position of another history', ({ transport }) => transport.latest().beat({ epoch: 'f', revision: 1 })],
  [
    'an event that cannot be read',
    ({ transport }) => transport.latest().listener.malformed(new FlagError('invalid_data', 'broken')),
  ],
])('after %s the next stream begins with all flags, and what was missed is told', async (_, spoil) => {
  const world = open();
  const { transport, feed, heard, listenAs, system } = world;
  feed.subscribe(undefined, listenAs('all'));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1'), flag('b', 'b1')));
  spoil(world);
  await system.advance(2_000);
  expect(transport.streams).toHaveLength(2);
  expect(transport.latest().request.after).toBeUndefined();
  transport.latest().send(snapshot(3, flag('a', 'a3')));
  expect(heard.all?.slice(2)).toEqual(['b: b1 → undefined @3', 'a: a1 → a3 @3']);
  transport.latest().end();
  await system.advance(5_000);
  expect(transport.latest().request.after).toEqual({ epoch: 'e', revision: 3 });
});

test('with a filter, a jump in the revisions is no gap', async () => {
  const { transport, feed, heard, listenAs } = open();
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1')));
  transport.latest().beat({ epoch: 'e', revision: 4 });
  transport.latest().send(change(7, flag('a', 'a7')));
  expect(transport.open).toHaveLength(1);
  expect(transport.streams).toHaveLength(1);
  expect(heard.a?.at(-1)).toBe('a: a1 → a7 FLAG_UPDATED @7');
});

test('changes that come before the flags of a new filter are not taken for them', async () => {
  const { transport, feed, heard, listenAs, system } = open();
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1')));
  feed.subscribe('b', listenAs('b'));
  await settle();
  transport.latest().send(change(2, flag('a', 'a2')));
  await system.advance(2_000);
  expect(transport.latest().request.after).toBeUndefined();
  expect(heard).toEqual({ a: ['a: undefined → a1 @1'], b: [] });
});

test.each<[string, (world: ReturnType<typeof open>) => void]>([
  ['snapshot', ({ transport }) => transport.latest().send(snapshot(4, flag('a', 'a4')))],
  ['position', ({ transport }) => transport.latest().beat({ epoch: 'e', revision: 4 })],
])('a server that is behind, as its %s shows, is left, and nobody is shown older flags', async (_, lag) => {
  const world = open();
  const { transport, feed, heard, listenAs, system } = world;
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().send(snapshot(5, flag('a', 'a5')));
  lag(world);
  expect(feed.status).toMatchObject({
    is: 'waiting',
    reason: 'the server is at revision 4, behind what is held (5)',
  });
  await system.advance(2_000);
  expect(transport.open).toHaveLength(1);
  expect(heard.a).toEqual(['a: undefined → a5 @5']);
});

test('a flag that came and went in one message is not told', async () => {
  const { transport, feed, heard, listenAs } = open();
  feed.subscribe(undefined, listenAs('all'));
  await settle();
  transport.latest().send(snapshot(1));
  const gone = { type: 'FLAG_DELETED', epoch: 'e', revision: 3, timestampMs: 0 } as const;
  transport.latest().send(change(2, flag('a')), {
    kind: 'change',
    change: { ...gone, flagID: 97, flagKey: 'a', flag: null },
  });
  expect(heard.all).toEqual([]);
});

test('a server in trouble is not asked sooner because somebody subscribes', async () => {
  const { transport, feed, listenAs, system } = open();
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().end({ ended: 'refused', status: 503, retryAfterMs: 20_000 });
  await settle();
  feed.subscribe('b', listenAs('b'));
  await system.advance(19_000);
  expect(transport.streams).toHaveLength(1);
  await system.advance(2_000);
  expect(transport.latest().request.filter).toMatchObject({ flagKeys: ['a', 'b'] });
});

test('where streams are refused, a wider filter is tried soon', async () => {
  const { transport, feed, listenAs, system } = open();
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().end({ ended: 'refused', status: 404, retryAfterMs: undefined });
  await settle();
  expect(feed.status.is).toBe('polling');
  feed.subscribe('b', listenAs('b'));
  await system.advance(250);
  expect(transport.open).toHaveLength(1);
  expect(transport.latest().request.filter).toMatchObject({ flagKeys: ['a', 'b'] });
});

test('a snapshot that was asked for with a narrower filter is not taken for all that is wanted now', async () => {
  const { transport, feed, heard, listenAs, system } = open();
  let answer = (_: Message) => {};
  transport.answerSnapshots(
    () =>
      new Promise((resolve) => {
        answer = (message) =>
          message.kind === 'snapshot' && resolve({ ended: 'snapshot', snapshot: message.snapshot });
      }),
  );
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().end({ ended: 'refused', status: 404, retryAfterMs: undefined });
  await settle();
  const late = answer;
  feed.subscribe('b', listenAs('b'));
  await system.advance(250);
  late(snapshot(1, flag('a', 'a1')));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1'), flag('b', 'b1')));
  transport.latest().end();
  await system.advance(5_000);
  expect(heard).toEqual({ a: ['a: undefined → a1 @1'], b: ['b: undefined → b1 @1'] });
  expect(transport.latest().request.after).toEqual({ epoch: 'e', revision: 1 });
});

test('an answer that comes after the last stop is not kept for the next subscription', async () => {
  const { transport, feed, heard, listenAs } = open();
  let answer = () => {};
  transport.answerSnapshots(
    () =>
      new Promise((resolve) => {
        answer = () =>
          resolve({ ended: 'snapshot', snapshot: { epoch: 'e', revision: 1, flags: [flag('a')] } });
      }),
  );
  const stop = feed.subscribe('a', listenAs('first'));
  await settle();
  transport.latest().end({ ended: 'refused', status: 404, retryAfterMs: undefined });
  await settle();
  stop();
  await settle();
  answer();
  await settle();
  feed.subscribe('a', listenAs('second'));
  await settle();
  expect(heard).toEqual({ first: [], second: [] });
});

test('more names than fit into an address ask for all flags', async () => {
  const { transport, feed, listenAs } = open();
  const names = Array.from({ length: 600 }, (_, index) => `flag_${index}`);
  feed.subscribe({ flagKeys: names }, listenAs('many'));
  await settle();
  expect(transport.latest().request.filter).toBeUndefined();
});

test.each(['a', 'b'])('a stopped client says why, and a new subscription to %s tries again', async (key) => {
  const { transport, feed, listenAs, system } = open();
  const statuses: string[] = [];
  feed.onStatus(({ is }) => statuses.push(is));
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().end({ ended: 'refused', status: 204, retryAfterMs: undefined });
  await system.advance(600_000);
  expect(feed.status).toEqual({ is: 'stopped', reason: 'the server answers 204' });
  expect(statuses).toEqual(['connecting', 'stopped']);
  feed.subscribe(key, listenAs('again'));
  await settle();
  expect(transport.open).toHaveLength(1);
});

test('a token is asked for before every attempt, and at once again after a 401', async () => {
  const tokens = ['old', 'new', 'newer'];
  const { transport, feed, listenAs, system } = open(async () => tokens.shift());
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().end({ ended: 'refused', status: 401, retryAfterMs: undefined });
  await settle();
  transport.latest().send(snapshot(1));
  transport.latest().end();
  await system.advance(2_000);
  expect(transport.streams.map(({ request }) => request.accessToken)).toEqual(['old', 'new', 'newer']);
});

test('a token function that throws is a failed attempt, not an error of the page', async () => {
  let calls = 0;
  const { transport, feed, listenAs, system } = open(() => {
    calls += 1;
    if (calls === 1) throw new Error('signed out');
    return 'token';
  });
  feed.subscribe('a', listenAs('a'));
  await settle();
  expect(feed.status).toMatchObject({ is: 'waiting', reason: 'signed out' });
  await system.advance(2_000);
  expect(transport.latest().request.accessToken).toBe('token');
});

test('a listener that throws is reported, and the others still hear', async () => {
  const reportError = vi.fn();
  vi.stubGlobal('reportError', reportError);
  const { transport, feed, heard, listenAs } = open();
  const broken = new Error('broken listener');
  feed.subscribe(undefined, () => {
    throw broken;
  });
  feed.onStatus(() => {
    throw broken;
  });
  feed.subscribe(undefined, listenAs('second'));
  await settle();
  reportError.mockClear();
  transport.latest().send(snapshot(1, flag('a', 'a1')));
  transport.latest().send(change(2, flag('a', 'a2')));
  expect(heard.second).toHaveLength(2);
  expect(feed.status.is).toBe('live');
  // Once for the status, once for each change.
  expect(reportError.mock.calls).toEqual([[broken], [broken], [broken]]);
});

test('where there is no reportError, the error is thrown again in a turn of its own', () => {
  const turns: (() => void)[] = [];
  vi.stubGlobal('reportError', undefined);
  vi.stubGlobal('queueMicrotask', (call: () => void) => turns.push(call));
  callListener(() => {
    throw new Error('broken listener');
  }, undefined);
  expect(turns).toHaveLength(1);
  expect(turns[0]).toThrow('broken listener');
});

test('a status listener that is taken back by another one hears nothing of that status', async () => {
  const { feed, listenAs } = open();
  const second = vi.fn();
  let stopSecond = () => {};
  feed.onStatus(() => stopSecond());
  stopSecond = feed.onStatus(second);
  feed.subscribe('a', listenAs('a'));
  await settle();
  expect(second).not.toHaveBeenCalled();
});

test('closed by a listener, no other hears the rest', async () => {
  const { transport, feed, heard, listenAs } = open();
  feed.subscribe(undefined, () => feed.close());
  feed.subscribe(undefined, listenAs('second'));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1'), flag('b', 'b1')));
  expect(heard.second).toEqual([]);
});

test('after close nothing is heard, asked or waited for', async () => {
  const { transport, feed, heard, listenAs, system } = open();
  const statuses: unknown[] = [];
  feed.subscribe('a', listenAs('a'));
  await settle();
  feed.onStatus((status) => statuses.push(status));
  const stream = transport.latest();
  feed.close();
  feed.close();
  stream.send(snapshot(1, flag('a', 'a1')));
  await system.advance(600_000);
  expect(transport.open).toHaveLength(0);
  expect(heard.a).toEqual([]);
  expect(system.waiting).toBe(0);
  expect(statuses).toEqual([{ is: 'stopped', reason: 'the client was closed' }]);
  expect(() => feed.subscribe('a', listenAs('late'))).toThrow(expect.objectContaining({ code: 'closed' }));
});

test('closed in the turn of the first subscription, it never connects', async () => {
  const { transport, feed, listenAs } = open();
  feed.subscribe('a', listenAs('a'));
  feed.close();
  await settle();
  expect(transport.streams).toHaveLength(0);
});

/** A window as far as the client listens to it. */
class FakeWindow extends EventTarget {
  readonly document = { visibilityState: 'visible' };
  fire(type: string): void {
    this.dispatchEvent(new Event(type));
  }
}

test('a page that is put away has no stream, and goes on where it was when it comes back', async () => {
  const { transport, feed, listenAs } = open();
  const page = new FakeWindow();
  watchSurroundings(page, new AbortController().signal, feed);
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().send(snapshot(1, flag('a', 'a1')));
  page.fire('pagehide');
  expect(transport.open).toHaveLength(0);
  expect(feed.status).toEqual({ is: 'paused', reasons: ['the page is put away'] });
  page.fire('pageshow');
  await settle();
  expect(transport.latest().request.after).toEqual({ epoch: 'e', revision: 1 });
});

test.each([
  ['online', 'visible', 'online'],
  ['the page being looked at', 'visible', 'visibilitychange'],
])('%s brings the next attempt forward', async (_, visibilityState, type) => {
  const { transport, feed, listenAs, system } = open();
  const page = new FakeWindow();
  page.document.visibilityState = visibilityState;
  watchSurroundings(page, new AbortController().signal, feed);
  feed.subscribe('a', listenAs('a'));
  await settle();
  for (let failures = 0; failures < 5; failures += 1) {
    transport.latest().end({ ended: 'failed', error: new FlagError('unreachable', 'no network') });
    if (failures < 4) await system.advance(30_000);
  }
  await settle();
  const { length } = transport.streams;
  await system.advance(300);
  expect(transport.streams).toHaveLength(length);
  page.fire(type);
  await system.advance(300);
  expect(transport.streams).toHaveLength(length + 1);
});

test('after offline, online replaces even a stream that has just brought something', async () => {
  const { transport, feed, listenAs, system } = open();
  const page = new FakeWindow();
  watchSurroundings(page, new AbortController().signal, feed);
  feed.subscribe('a', listenAs('a'));
  await settle();
  transport.latest().send(snapshot(1));
  page.fire('online');
  await system.advance(300);
  expect(transport.streams).toHaveLength(1);
  page.fire('offline');
  expect(transport.open).toHaveLength(1);
  page.fire('online');
  await system.advance(300);
  expect(transport.streams).toHaveLength(2);
  expect(transport.open).toHaveLength(1);
});

test('after close the page is not listened to any more', () => {
  const page = new FakeWindow();
  const closing = new AbortController();
  const wake = vi.fn();
  watchSurroundings(page, closing.signal, { wake, doubt: wake, suspend: wake, resume: wake });
  closing.abort();
  for (const type of ['online', 'offline', 'visibilitychange', 'pagehide', 'pageshow']) page.fire(type);
  expect(wake).not.toHaveBeenCalled();
});
