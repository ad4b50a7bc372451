import { expect, test } from 'vitest';
import { FlagError } from '../../src/core/errors.ts';
import type { Change, EventId, Flag, FlagFilter } from '../../src/core/model.ts';
import type { Message } from '../../src/core/protocol/messages.ts';
import type { Delivery } from '../../src/hub/contract.ts';
import { createHub } from '../../src/hub/hub.ts';
import { createMirror } from '../../src/page/mirror.ts';
import type { FlagStore } from '../../src/storage/contract.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { createFakeSystem, settle } from '../kit/fake-system.ts';
import { createFakeTransport } from '../kit/fake-transport.ts';
import { buildFlag } from '../kit/flags.ts';

const one = buildFlag('one', { id: 1 });
const two = buildFlag('two', { id: 2 });
const edited = (flag: Flag, snapshotID: number): Flag => ({ ...flag, snapshotID });

const snapshot = (revision: number, flags: readonly Flag[], epoch = 'e1'): Message => ({
  kind: 'snapshot',
  snapshot: { epoch, revision, flags },
  timestampMs: 0,
});
const change = (revision: number, flag: Flag, epoch = 'e1'): Message => ({
  kind: 'change',
  change: {
    type: 'FLAG_UPDATED',
    epoch,
    revision,
    timestampMs: 0,
    flagID: flag.id,
    flagKey: flag.key,
    flag,
  } satisfies Change,
});

interface WorldOptions {
  readonly store?: FlagStore;
}

function createWorld({ store = createMemoryStore() }: WorldOptions = {}) {
  const trace: string[] = [];
  const system = createFakeSystem();
  const transport = createFakeTransport();
  const hub = createHub({
    bootId: 'boot',
    scope: 'test@http://server',
    url: 'http://server',
    policy: {},
    transport,
    store: {
      ...store,
      saveSnapshot: async (held, facts) => {
        const written = await store.saveSnapshot(held, facts);
        trace.push(`stored ${held.revision}`);
        return written;
      },
      appendChanges: async (changes, held, facts) => {
        const written = await store.appendChanges(changes, held, facts);
        trace.push(`stored ${held.revision}`);
        return written;
      },
    },
    system,
    trace: () => {},
    traceEntries: [],
    claimStream: ({ onHeld }) => {
      onHeld();
      return { release: () => {} };
    },
    peers: {
      post: ({ type }) => trace.push(`said ${type}`),
      onMessage: () => {},
      close: () => {},
    },
    whenHubIsGone: () => () => {},
    onIdle: () => trace.push('idle'),
  });

  /** A tab that answers at once, unless it is told to be busy. */
  const attach = (
    tabId: string,
    {
      filter,
      held,
      token,
      isForgotten = false,
    }: {
      filter?: FlagFilter;
      held?: EventId;
      token?: string | (() => Promise<string>);
      isForgotten?: boolean;
    } = {},
  ) => {
    const mirror = createMirror();
    const deliveries: Delivery[] = [];
    let free = (): void => {};
    let busy: Promise<void> | undefined;
    hub.attach({
      tabId,
      filter,
      held,
      isForgotten,
      sink: {
        deliver: async (delivery) => {
          deliveries.push(delivery);
          if (delivery.update !== undefined) {
            const outcome = mirror.apply(delivery.update);
            trace.push(`${tabId} ${outcome === 'gap' ? 'gap' : (mirror.held?.revision ?? 'empty')}`);
            if (outcome === 'gap') hub.resume(tabId, mirror.held);
          }
          await busy;
        },
        accessToken: async () => (typeof token === 'function' ? token() : token),
      },
    });
    return {
      mirror,
      deliveries,
      status: () => deliveries.at(-1)?.status,
      beBusy: () => {
        busy = new Promise((resolve) => {
          free = resolve;
        });
      },
      beFree: () => {
        busy = undefined;
        free();
      },
    };
  };

  return {
    hub,
    system,
    transport,
    trace,
    attach,
  };
}

test('a change is stored before any tab sees it, and every tab sees it', async () => {
  const { transport, trace, attach } = createWorld();
  attach('a');
  attach('b');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  transport.latest().send(change(2, edited(one, 2)));
  await settle();
  expect(trace.filter((line) => !line.startsWith('said'))).toEqual([
    'stored 1',
    'a 1',
    'b 1',
    'stored 2',
    'a 2',
    'b 2',
  ]);
});

test('there is one stream for many tabs, and none without a tab', async () => {
  const { hub, system, transport, trace, attach } = createWorld();
  await settle();
  expect(transport.streams).toHaveLength(0);
  for (const tabId of ['a', 'b', 'c']) attach(tabId);
  await settle();
  expect(transport.open).toHaveLength(1);
  for (const tabId of ['a', 'b', 'c']) hub.detach(tabId);
  await system.advance(9_999);
  expect(transport.open).toHaveLength(1);
  await system.advance(1);
  expect(transport.open).toHaveLength(0);
  expect(trace.filter((line) => !line.startsWith('said'))).toEqual(['idle']);
});

test('a suspended tab keeps the stream no longer than a closed one, gets nothing, and catches up when it is back', async () => {
  const { hub, system, transport, attach } = createWorld();
  const tab = attach('a');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  hub.suspend('a');
  const delivered = tab.deliveries.length;
  transport.latest().send(change(2, edited(one, 2)));
  await system.advance(10_000);
  expect(transport.open).toHaveLength(0);
  expect(tab.deliveries).toHaveLength(delivered);
  hub.resume('a', tab.mirror.held);
  await settle();
  expect(tab.mirror.held?.revision).toBe(2);
  expect(transport.latest().request.after).toMatchObject({ epoch: 'e1', revision: 2 });
});

test('after a cut the stream goes on from the revision that is held', async () => {
  const { system, transport, attach } = createWorld();
  const tab = attach('a');
  await settle();
  transport.latest().send(snapshot(5, [one]));
  await settle();
  transport.latest().end();
  await settle();
  expect(tab.status()?.connection).toMatchObject({ is: 'waiting', attempt: 2 });
  await system.advance(1_000);
  expect(transport.latest().request.after).toEqual({ epoch: 'e1', revision: 5 });
  expect(transport.streams).toHaveLength(2);
});

test('a stream that falls silent is dropped 40 s after its last sign of life', async () => {
  const { system, transport, attach } = createWorld();
  const tab = attach('a');
  await settle();
  transport.latest().send(snapshot(5, [one]));
  await system.advance(30_000);
  transport.latest().beat({ epoch: 'e1', revision: 5 });
  await system.advance(39_999);
  expect(transport.open).toHaveLength(1);
  await system.advance(1);
  expect(transport.open).toHaveLength(0);
  expect(tab.status()?.connection).toMatchObject({ is: 'waiting', reason: 'no byte for too long' });
});

test('a gap fetches a snapshot, and what came meanwhile is applied behind it', async () => {
  const { transport, attach } = createWorld();
  const tab = attach('a');
  await settle();
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  transport.answerSnapshots(async () => {
    await released;
    return { ended: 'snapshot', snapshot: { epoch: 'e1', revision: 4, flags: [edited(one, 4)] } };
  });
  transport.latest().send(snapshot(1, [one]));
  await settle();
  transport.latest().send(change(4, edited(one, 4)));
  await settle();
  transport.latest().send(change(5, two));
  await settle();
  expect(tab.mirror.held?.revision).toBe(1);
  release();
  await settle();
  expect([tab.mirror.held?.revision, [...tab.mirror.flags.keys()]]).toEqual([5, ['one', 'two']]);
  expect(transport.open).toHaveLength(1);
});

test('a gap whose snapshot does not come drops the stream, and the next one resumes from what is held', async () => {
  const { system, transport, attach } = createWorld();
  const tab = attach('a');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  transport.latest().send(change(3, edited(one, 3)));
  await settle();
  expect(transport.open).toHaveLength(0);
  expect(tab.status()?.connection).toMatchObject({ is: 'waiting', reason: 'changes are missing' });
  await system.advance(1_000);
  expect(transport.latest().request.after?.revision).toBe(1);
  transport.latest().send(change(2, two), change(3, edited(one, 3)));
  await settle();
  expect(tab.mirror.held?.revision).toBe(3);
});

test('a malformed event is counted, and a snapshot makes good what it may have carried', async () => {
  const { hub, transport, attach } = createWorld();
  const tab = attach('a');
  await settle();
  transport.answerSnapshots(() => ({
    ended: 'snapshot',
    snapshot: { epoch: 'e1', revision: 2, flags: [edited(one, 2)] },
  }));
  transport.latest().send(snapshot(1, [one]));
  transport.latest().listener.malformed(new FlagError('invalid_data', 'flag_updated is not JSON.'));
  await settle();
  expect(tab.mirror.held?.revision).toBe(2);
  expect(hub.debug().counts.malformed).toBe(1);
});

test('a server whose every snapshot is malformed is not hammered, and what is held stays', async () => {
  const { system, transport, attach } = createWorld();
  const tab = attach('a');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  const error = new FlagError('invalid_data', 'snapshot.flags[1].key must be different in every flag.');
  transport.answerSnapshots(() => ({ ended: 'malformed', error }));
  for (let round = 0; round < 200; round += 1) {
    for (const stream of transport.open) {
      stream.send();
      stream.listener.malformed(error);
    }
    await system.advance(500);
  }
  expect(tab.mirror.held?.revision).toBe(1);
  expect(transport.streams.length).toBeLessThan(15);
});

test('a busy tab delays nobody, and gets what it missed as one update', async () => {
  const { transport, attach } = createWorld();
  const slow = attach('slow');
  const quick = attach('quick');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  slow.beBusy();
  transport.latest().send(change(2, edited(one, 2)));
  await settle();
  const sent = slow.deliveries.length;
  for (let revision = 3; revision <= 9; revision += 1) {
    transport.latest().send(change(revision, edited(one, revision)));
    await settle();
  }
  expect([quick.mirror.held?.revision, slow.deliveries.length]).toEqual([9, sent]);
  slow.beFree();
  await settle();
  expect([slow.mirror.held?.revision, slow.deliveries.length]).toEqual([9, sent + 1]);
  expect(slow.deliveries.at(-1)?.update).toMatchObject({ kind: 'patch', fromRevision: 2, revision: 9 });
});

test('a burst in one chunk is stored once and shown once', async () => {
  const { transport, trace, attach } = createWorld();
  attach('a');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  trace.length = 0;
  transport.latest().send(...[2, 3, 4, 5].map((revision) => change(revision, edited(one, revision))));
  await settle();
  expect(trace.filter((line) => !line.startsWith('said'))).toEqual(['stored 5', 'a 5']);
});

test('a store that fails keeps no flag from the tabs', async () => {
  const store = createMemoryStore();
  const failing: FlagStore = {
    ...store,
    saveSnapshot: async () => {
      throw new Error('disk on fire');
    },
  };
  const { transport, attach } = createWorld({ store: failing });
  const tab = attach('a');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  expect(tab.mirror.held?.revision).toBe(1);
});

test('starts from what is stored, shows it at once with its age, and asks only for what came after', async () => {
  const store = createMemoryStore();
  const term = await store.lead();
  const held = { epoch: 'e1', revision: 3, flags: new Map([['one', one]]), isFiltered: false };
  await store.saveSnapshot(held, { term, nowMs: 77, filterKey: '' });
  const { transport, attach } = createWorld({ store });
  const tab = attach('a');
  await settle();
  expect(tab.status()).toMatchObject({ source: 'storage', confirmedAtMs: 77, revision: 3 });
  expect(tab.mirror.byKey('one')).toEqual(one);
  expect(transport.latest().request.after).toMatchObject({ epoch: 'e1', revision: 3 });
  transport.latest().beat({ epoch: 'e1', revision: 3 });
  await settle();
  expect(tab.status()).toMatchObject({ source: 'server', confirmedAtMs: 1_000_000 });
});

test('forget wipes storage and every tab, and stays away from the server until a tab attaches anew', async () => {
  const store = createMemoryStore();
  const { hub, system, transport, attach } = createWorld({ store });
  const tab = attach('a');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  await hub.forget();
  await system.advance(120_000);
  expect(tab.mirror.held).toBeUndefined();
  expect(await store.load()).toBeUndefined();
  expect(transport.open).toHaveLength(0);
  attach('b');
  await settle();
  expect(transport.open).toHaveLength(1);
  expect(transport.latest().request.after).toBeUndefined();
});

test('what was being read from storage at a sign-out is not shown after it', async () => {
  const store = createMemoryStore();
  const stored = { epoch: 'e1', revision: 3, flags: new Map([['one', one]]), isFiltered: false };
  await store.saveSnapshot(stored, { term: await store.lead(), nowMs: 77, filterKey: '' });
  const read = await store.load();
  let finish = (): void => {};
  const reading = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { hub, attach } = createWorld({ store: { ...store, load: () => reading.then(() => read) } });
  const tab = attach('a');
  await hub.forget();
  finish();
  await settle();
  expect([tab.mirror.held, hub.debug().status.revision]).toEqual([undefined, undefined]);
});

test('what a snapshot request brings after forget is not taken: it belongs to who was forgotten', async () => {
  const store = createMemoryStore();
  const { hub, transport, attach } = createWorld({ store });
  const tab = attach('a');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  transport.answerSnapshots(async (request) => {
    await answered;
    if (request.signal.aborted) return { ended: 'aborted' };
    return { ended: 'snapshot', snapshot: { epoch: 'e1', revision: 2, flags: [two] } };
  });
  const refreshing = hub.refresh();
  await hub.forget();
  answer();
  expect(await refreshing).toMatchObject({ ok: false, code: 'closed' });
  await settle();
  expect([tab.mirror.held, await store.load()]).toEqual([undefined, undefined]);
});

test('a tab with another filter widens what is replicated, and the stream starts over without an event id', async () => {
  const { transport, attach } = createWorld();
  attach('a', { filter: { tags: ['web'] } });
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  attach('b', { filter: { flagKeys: ['two'] } });
  await settle();
  expect(transport.open).toHaveLength(1);
  expect(transport.latest().request.after).toBeUndefined();
  expect(transport.latest().request.filter).toMatchObject({ tags: ['web'], flagKeys: ['two'] });
});

test('a filtered stream may leave revisions out', async () => {
  const { transport, attach } = createWorld();
  const tab = attach('a', { filter: { tags: ['web'] } });
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  transport.latest().send(change(7, edited(one, 7)));
  await settle();
  expect(tab.mirror.held?.revision).toBe(7);
});

test('asks the newest tab for the token, passes over one that does not answer, and asks again when it is rejected', async () => {
  const { system, transport, attach } = createWorld();
  attach('old', { token: 'from the old tab' });
  attach('dead', { token: () => new Promise(() => {}) });
  await system.advance(10_000);
  expect(transport.latest().request.accessToken).toBe('from the old tab');
  transport.latest().end({ ended: 'refused', status: 401, retryAfterMs: undefined });
  await system.advance(10_000);
  expect(transport.streams).toHaveLength(2);
});

test('a heartbeat that is ahead of what is held shows that a change was lost', async () => {
  const { transport, attach } = createWorld();
  const tab = attach('a');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  const now = { epoch: 'e1', revision: 2 };
  transport.answerSnapshots(() => ({ ended: 'snapshot', snapshot: { ...now, flags: [edited(one, 2)] } }));
  transport.latest().beat(now);
  await settle();
  expect(tab.mirror.held?.revision).toBe(2);
  expect(transport.open).toHaveLength(1);
});

test('a server that is behind what is held is left, and nothing is called current', async () => {
  const store = createMemoryStore();
  const term = await store.lead();
  const held = { epoch: 'e1', revision: 9, flags: new Map([['one', one]]), isFiltered: false };
  await store.saveSnapshot(held, { term, nowMs: 77, filterKey: '' });
  const { transport, attach } = createWorld({ store });
  const tab = attach('a');
  await settle();
  transport.latest().beat({ epoch: 'e1', revision: 8 });
  await settle();
  expect(transport.open).toHaveLength(0);
  expect(tab.status()).toMatchObject({ source: 'storage', confirmedAtMs: 77, connection: { is: 'waiting' } });
});

test('a new epoch replaces everything, and an older revision of the same epoch is refused', async () => {
  const { hub, system, transport, attach } = createWorld();
  const tab = attach('a');
  await settle();
  transport.latest().send(snapshot(9, [one]));
  await settle();
  transport.latest().send(snapshot(8, [two]));
  await settle();
  expect([tab.mirror.held?.revision, hub.debug().counts.refused]).toEqual([9, 1]);
  expect(tab.status()?.connection).toMatchObject({
    is: 'waiting',
    reason: 'the server is at revision 8, behind what is held (9)',
  });
  await system.advance(1_000);
  transport.latest().send(snapshot(1, [two], 'e2'));
  await settle();
  expect([tab.mirror.held, [...tab.mirror.flags.keys()]]).toEqual([{ epoch: 'e2', revision: 1 }, ['two']]);
});

test('a change that waits for a slow write is not taken for one of the wider filter', async () => {
  const store = createMemoryStore();
  let goOn = (): void => {};
  const slow: FlagStore = {
    ...store,
    appendChanges: async (...args) => {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      return store.appendChanges(...args);
    },
  };
  const { system, transport, attach } = createWorld({ store: slow });
  attach('a', { filter: { flagKeys: ['one'] } });
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  transport.latest().send(change(2, edited(one, 2)));
  await settle();
  attach('b', { filter: { flagKeys: ['two'] } });
  goOn();
  await settle();
  transport.latest().end();
  await system.advance(2_000);
  expect(transport.latest().request.after).toBeUndefined();
  expect((await store.load())?.filterKey).not.toContain('two');
});

test('a snapshot that was asked for with a narrower filter is asked for again', async () => {
  const { hub, transport, attach } = createWorld();
  const tab = attach('a', { filter: { flagKeys: ['one'] } });
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  let answer = (): void => {};
  const asked: (FlagFilter | undefined)[] = [];
  transport.answerSnapshots(async ({ filter }) => {
    asked.push(filter);
    const flags = asked.length === 1 ? [one] : [one, two];
    if (asked.length === 1) {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
    }
    return { ended: 'snapshot', snapshot: { epoch: 'e1', revision: 1, flags } };
  });
  const refreshed = hub.refresh();
  await settle();
  attach('b', { filter: { flagKeys: ['two'] } });
  await settle();
  answer();
  expect(await refreshed).toMatchObject({ ok: true });
  await settle();
  expect([...tab.mirror.flags.keys()]).toEqual(['one', 'two']);
  expect(asked.at(-1)).toMatchObject({ flagKeys: ['one', 'two'] });
});

test('every attempt asks for the token anew: who has signed in again does not wait for the old token to be refused', async () => {
  const { system, transport, attach } = createWorld();
  let token = 'old';
  attach('a', { token: async () => token });
  await settle();
  for (let refusals = 0; refusals < 2; refusals += 1) {
    transport.latest().end({ ended: 'refused', status: 401, retryAfterMs: undefined });
    await settle();
  }
  token = 'new';
  await system.advance(2_000);
  expect(transport.latest().request.accessToken).toBe('new');
});

test('a hub that has just started takes no flags from a tab that holds some: they go when newer ones come', async () => {
  const { transport, attach } = createWorld();
  const tab = attach('a', { held: { epoch: 'e1', revision: 3 } });
  await settle();
  expect(tab.deliveries.some(({ update }) => update?.kind === 'empty')).toBe(false);
  transport.latest().send(snapshot(4, [one]));
  await settle();
  expect(tab.mirror.held?.revision).toBe(4);
});

test('a tab that has signed out does not sign in by attaching anew, in this hub or in the next', async () => {
  const { hub, system, transport, attach } = createWorld();
  attach('a', { isForgotten: true });
  await system.advance(60_000);
  expect(transport.streams).toHaveLength(0);
  const signedIn = attach('b');
  await settle();
  transport.latest().send(snapshot(1, [one]));
  await settle();
  expect(signedIn.mirror.held?.revision).toBe(1);
  await hub.forget();
  attach('c', { isForgotten: true });
  await system.advance(60_000);
  expect(transport.open).toHaveLength(0);
});

test('what is held is stored anew when the database was lost', async () => {
  const store = createMemoryStore();
  const { hub, transport, attach } = createWorld({ store });
  attach('a');
  await settle();
  transport.latest().send(snapshot(3, [one]));
  await settle();
  await store.clear();
  hub.storageLost();
  await settle();
  expect((await store.load())?.held.revision).toBe(3);
});
