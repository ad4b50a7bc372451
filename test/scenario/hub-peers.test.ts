/** Several hubs in one browser: workers of two builds, or tabs that host a hub each. One streams, all show the same. */
import { expect, test } from 'vitest';
import type { Message } from '../../src/core/protocol/messages.ts';
import { streamLockName } from '../../src/core/state/scope.ts';
import type { PeerNews } from '../../src/hub/peers.ts';
import { holdLock } from '../../src/system/locks.ts';
import { createFakeFlagServer } from '../kit/fake-flag-server.ts';
import { settle } from '../kit/fake-system.ts';
import { createHubWorld, type HubWorldOptions, SCOPE } from '../kit/hub-world.ts';

/** A browser, and a server whose edits reach every stream that is open. */
function createWorld(options?: HubWorldOptions) {
  const world = createHubWorld(options);
  const { transport } = world;
  const server = createFakeFlagServer();
  const answered = new Set<unknown>();
  transport.answerSnapshots(() => ({ ended: 'snapshot', snapshot: server.snapshot().snapshot }));
  const serve = async (): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      await settle();
      for (const stream of transport.open) {
        if (answered.has(stream)) continue;
        answered.add(stream);
        stream.send(...server.opening(stream.request.after));
      }
    }
    await settle();
    expect(transport.open.length).toBeLessThanOrEqual(1);
  };
  const edit = async (key: string): Promise<void> => {
    const message: Message = server.edit(key, 'update');
    for (const stream of transport.open) stream.send(message);
    await serve();
  };
  return { ...world, server, serve, edit };
}

test('of three hubs one streams, and the tabs of all three show every change, its age and how many tabs there are', async () => {
  const { startHub, edit, serve, transport, system } = createWorld();
  const hubs = [startHub(), startHub(), startHub()];
  const tabs = hubs.map((hub) => hub.attach());
  await serve();
  await edit('a');
  await edit('b');
  expect(transport.streams).toHaveLength(1);
  expect(hubs.map(({ isLeader }) => isLeader)).toEqual([true, false, false]);
  expect(tabs.map(({ revision }) => revision)).toEqual([2, 2, 2]);
  for (const { status } of tabs) {
    expect(status).toMatchObject({
      source: 'server',
      connection: { is: 'live' },
      confirmedAtMs: system.nowMs(),
      tabs: 3,
    });
  }
});

test('a follower keeps up with the channel alone: it reads storage once, not for each change', async () => {
  const { startHub, edit, serve, database } = createWorld();
  let reads = 0;
  const { load } = database;
  Object.assign(database, {
    load: () => {
      reads += 1;
      return load();
    },
  });
  startHub().attach();
  await serve();
  await edit('a');
  const late = startHub().attach();
  await serve();
  const before = reads;
  for (const key of ['b', 'c', 'b']) await edit(key);
  expect([late.revision, reads - before]).toEqual([4, 0]);
});

test('when the leader closes or crashes, the next one goes on from what is stored', async () => {
  for (const end of ['close', 'crash'] as const) {
    const { startHub, edit, serve, transport } = createWorld();
    const first = startHub();
    first.attach();
    await serve();
    const second = startHub();
    const tab = second.attach();
    await serve();
    await edit('a');
    first[end]();
    expect(transport.open).toHaveLength(0);
    await serve();
    expect([second.isLeader, transport.latest().request.after?.revision]).toEqual([true, 1]);
    await edit('b');
    expect([tab.revision, tab.status?.tabs]).toEqual([2, 1]);
  }
});

test('a tab of a follower that crashes is no longer counted', async () => {
  const { startHub, serve } = createWorld();
  const tab = startHub().attach();
  const second = startHub();
  second.attach();
  await serve();
  expect(tab.status?.tabs).toBe(2);
  second.crash();
  await serve();
  expect(tab.status?.tabs).toBe(1);
});

test('a leader whose browser takes the lock away stops streaming, queues again, and follows the next one', async () => {
  const { startHub, edit, serve, transport } = createWorld();
  const first = startHub();
  const tab = first.attach();
  const second = startHub();
  second.attach();
  await serve();
  await edit('a');
  first.agent.loseAll();
  await serve();
  expect([first.isLeader, second.isLeader, transport.open.length]).toEqual([false, true, 1]);
  await edit('b');
  expect(tab.revision).toBe(2);
});

test('a leader that hangs is replaced after two hellos without an answer, and gives way when it wakes', async () => {
  const { startHub, edit, serve, system, transport } = createWorld();
  const first = startHub();
  const tabOfFirst = first.attach();
  const second = startHub();
  const tab = second.attach();
  await serve();
  await edit('a');
  first.setDeaf(true);
  second.hub.wake('visible');
  await system.advance(6_000);
  await serve();
  expect([first.isLeader, second.isLeader, transport.open.length]).toEqual([false, true, 1]);
  await edit('b');
  expect([tab.revision, tabOfFirst.revision]).toEqual([2, 1]);
  first.setDeaf(false);
  await serve();
  expect(tabOfFirst.revision).toBe(2);
});

test('a leader that is merely quiet is asked, answers, and stays', async () => {
  const { startHub, serve, system, transport } = createWorld();
  const first = startHub();
  first.attach();
  const second = startHub();
  second.attach();
  await serve();
  for (let passedMs = 0; passedMs < 300_000; passedMs += 10_000) {
    transport.latest().beat({ epoch: 'e1', revision: 0 });
    await system.advance(10_000);
  }
  expect([first.isLeader, transport.streams.length]).toEqual([true, 1]);
});

test('the newest protocol leads: an older holder yields and follows', async () => {
  const { startHub, edit, serve, transport } = createWorld();
  const old = startHub({ protocol: 1 });
  const tabOfOld = old.attach();
  await serve();
  await edit('a');
  const young = startHub({ protocol: 2 });
  young.attach();
  await serve();
  expect([old.isLeader, young.isLeader, transport.open.length]).toEqual([false, true, 1]);
  expect(transport.latest().request.after?.revision).toBe(1);
  await edit('b');
  expect(tabOfOld.revision).toBe(2);
});

test('an older protocol does not make a newer one yield', async () => {
  const { startHub, serve } = createWorld();
  const young = startHub({ protocol: 2 });
  young.attach();
  await serve();
  const old = startHub({ protocol: 1 });
  old.attach();
  await serve();
  expect([young.isLeader, old.isLeader]).toEqual([true, false]);
});

test('where nothing can be stored, followers get everything over the channel', async () => {
  const { startHub, edit, serve } = createWorld({ storage: 'none' });
  const first = startHub();
  first.attach();
  await serve();
  await edit('a');
  const second = startHub();
  const late = second.attach();
  await serve();
  expect([late.revision, late.status?.storage]).toEqual([1, 'memory']);
  await edit('b');
  expect(late.revision).toBe(2);
  first.crash();
  await serve();
  await edit('c');
  expect(late.revision).toBe(3);
});

test('the leader replicates what the filters of all hubs let through', async () => {
  const { startHub, serve, transport } = createWorld();
  startHub().attach({ filter: { tags: ['web'] } });
  await serve();
  startHub().attach({ filter: { flagKeys: ['two'] } });
  await serve();
  expect(transport.open).toHaveLength(1);
  expect(transport.latest().request).toMatchObject({
    filter: { tags: ['web'], flagKeys: ['two'] },
    after: undefined,
  });
});

test('a wake-up in any tab reaches the hub that streams', async () => {
  const { startHub, serve, system, transport } = createWorld();
  startHub().attach();
  const second = startHub();
  second.attach();
  await serve();
  for (let failures = 0; failures < 8; failures += 1) {
    for (const stream of transport.open)
      stream.end({ ended: 'refused', status: 503, retryAfterMs: undefined });
    await system.advance(30_000);
  }
  transport.latest().end({ ended: 'refused', status: 503, retryAfterMs: undefined });
  const attempts = transport.streams.length;
  second.hub.wake('online');
  await system.advance(250);
  expect(transport.streams).toHaveLength(attempts + 1);
});

test('a refresh asked of a follower is done by the leader, and is in storage before it is answered', async () => {
  const { startHub, serve, server, database } = createWorld();
  startHub().attach();
  const second = startHub();
  const tab = second.attach();
  await serve();
  server.edit('a', 'update');
  expect(await second.hub.refresh()).toEqual({ ok: true, value: { epoch: 'e1', revision: 1 } });
  await serve();
  expect([tab.revision, (await database.load())?.held.revision]).toEqual([1, 1]);
});

test('a refresh asked while nobody leads is answered by whoever leads next', async () => {
  const { startHub, serve } = createWorld();
  const first = startHub();
  first.attach();
  await serve();
  const second = startHub();
  second.attach();
  await serve();
  first.crash();
  const answer = second.hub.refresh();
  await serve();
  expect(await answer).toMatchObject({ ok: true });
});

test('a sign-out in any tab wipes storage and every tab, ends the stream, and nothing comes back by itself', async () => {
  for (const which of [0, 1]) {
    const { startHub, edit, serve, system, transport, database } = createWorld();
    const hubs = [startHub(), startHub()];
    const tabs = hubs.map((hub) => hub.attach());
    await serve();
    await edit('a');
    const forgetting = hubs[which]?.hub.forget();
    await serve();
    expect(await forgetting).toEqual({ ok: true, value: null });
    await system.advance(120_000);
    await serve();
    expect(tabs.map(({ revision }) => revision)).toEqual([undefined, undefined]);
    expect([await database.load(), transport.open]).toEqual([undefined, []]);
  }
});

test('after a sign-out the next sign-in in any tab streams again, and shows in all tabs', async () => {
  const { startHub, edit, serve, transport } = createWorld();
  const first = startHub();
  const tab = first.attach();
  const second = startHub();
  second.attach();
  await serve();
  await edit('a');
  const forgetting = first.hub.forget();
  await serve();
  await forgetting;
  const signedIn = second.attach();
  await serve();
  expect([transport.open.length, signedIn.revision, tab.revision]).toEqual([1, 1, 1]);
});

test('what the leader of a forgotten time still says is not heard', async () => {
  const { startHub, edit, serve, peers } = createWorld();
  startHub().attach();
  const second = startHub();
  const tab = second.attach();
  await serve();
  await edit('a');
  const lastWord = peers.posted.findLast((message) => message.type === 'leader');
  const forgetting = second.hub.forget();
  await serve();
  await forgetting;
  if (lastWord !== undefined) peers.open().post(lastWord);
  await serve();
  expect(tab.revision).toBeUndefined();
});

test('a hub without active tabs lets go of the stream to one that has some', async () => {
  const { startHub, serve, system, transport } = createWorld();
  const first = startHub();
  const sleeper = first.attach();
  const second = startHub();
  second.attach();
  await serve();
  first.hub.suspend(sleeper.tabId);
  await system.advance(10_000);
  await serve();
  expect([first.isLeader, second.isLeader, transport.open.length]).toEqual([false, true, 1]);
});

test('a leader that was superseded in storage takes a new term instead of falling silent', async () => {
  const { startHub, edit, serve, database } = createWorld();
  const tab = startHub().attach();
  await serve();
  await database.lead();
  await edit('a');
  await edit('b');
  expect([tab.revision, (await database.load())?.held.revision]).toEqual([2, 2]);
});

test('a leader whose tabs hang and leave it without a token lets another hub lead', async () => {
  const { startHub, serve, system, transport } = createWorld();
  const first = startHub();
  first.attach({ accessToken: () => new Promise(() => {}) });
  const second = startHub();
  second.attach();
  await system.advance(10_000);
  await serve();
  expect([first.isLeader, second.isLeader]).toEqual([false, true]);
  expect(transport.latest().request.accessToken).toBe('token');
});

test('a leader that is not heard, because one of a higher generation was, counts on from there', async () => {
  const { startHub, edit, serve, peers } = createWorld();
  startHub().attach();
  const tab = startHub().attach();
  await serve();
  await edit('a');
  const news = peers.posted.findLast((message) => message.type === 'leader');
  if (news !== undefined)
    peers.open().post({ ...news, from: 'elsewhere', generation: news.generation + 1_000 });
  await serve();
  await edit('b');
  expect(tab.revision).toBe(2);
});

/** What a leader that a test plays says of itself. */
const status = {
  connection: { is: 'live', sinceMs: 0 },
  storage: 'memory',
  source: 'server',
  epoch: 'e1',
  revision: 1,
  confirmedAtMs: 0,
  tabs: 1,
  isLeader: true,
  isFollower: false,
} as const;

test('after a sign-out a follower without storage asks the next leader for the flags it asked the last one for', async () => {
  const { startHub, serve, locks, peers } = createWorld({ storage: 'none' });
  holdLock(locks.agent().locks, streamLockName(SCOPE), { onHeld: () => {} });
  startHub().attach();
  const leader = peers.open();
  const say = async (news: PeerNews): Promise<void> => {
    leader.post({ ...news, protocol: 1, from: 'leader' });
    await serve();
  };
  const questions = () =>
    peers.posted.filter((message) => message.type === 'hello' && message.needsFlags).length;
  await say({ type: 'leader', generation: 1, filterKey: '', status });
  expect(questions()).toBe(1);
  await say({ type: 'forgotten', generation: 1 });
  await say({ type: 'leader', generation: 2, filterKey: '', status });
  expect(questions()).toBe(2);
});

test('what another hub says as leader while a sign-out is under way is not heard', async () => {
  const { startHub, serve, locks, peers, database } = createWorld();
  holdLock(locks.agent().locks, streamLockName(SCOPE), { onHeld: () => {} });
  const { lead } = database;
  const slowly: typeof lead = async (above) => {
    await settle();
    return lead(above);
  };
  Object.assign(database, { lead: slowly });
  const follower = startHub();
  const tab = follower.attach();
  const leader = peers.open();
  const say = (generation: number): void => {
    const update = { kind: 'all', epoch: 'e1', revision: 1, flagsJson: '[]' } as const;
    leader.post({ type: 'leader', generation, filterKey: '', status, update, protocol: 1, from: 'leader' });
  };
  say(1);
  await serve();
  expect(tab.revision).toBe(1);
  const forgetting = follower.hub.forget();
  say(2);
  await serve();
  expect([await forgetting, tab.revision]).toEqual([{ ok: true, value: null }, undefined]);
});

test('what is stored for who signs in while a sign-out still wipes is not wiped with the rest', async () => {
  const { startHub, edit, serve, database } = createWorld();
  const { clear } = database;
  const slowly = async (): Promise<void> => {
    await settle();
    await clear();
  };
  Object.assign(database, { clear: slowly });
  const { hub, attach } = startHub();
  const tab = attach();
  await serve();
  await edit('a');
  const forgetting = hub.forget();
  const signingIn = hub.refresh();
  await serve();
  await serve();
  expect([await forgetting, await signingIn]).toMatchObject([{ ok: true }, { ok: true }]);
  expect([tab.revision, (await database.load())?.held.revision]).toEqual([1, 1]);
});
