/** Random walks of a hub between a server that is cut, repeats, drops and starts over, and tabs that come, sleep, stall and go. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlagError } from '../../src/core/errors.ts';
import type { EventId } from '../../src/core/model.ts';
import { createHub } from '../../src/hub/hub.ts';
import { createMirror } from '../../src/page/mirror.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { createFakeFlagServer } from '../kit/fake-flag-server.ts';
import { createFakeSystem, settle } from '../kit/fake-system.ts';
import { createFakeTransport, type FakeStream } from '../kit/fake-transport.ts';

type Step =
  | {
      readonly do: 'edit';
      readonly key: string;
      readonly how: 'update' | 'delete';
      readonly fate: 'arrives' | 'twice' | 'lost';
    }
  | {
      readonly do:
        | 'cut'
        | 'forget'
        | 'new epoch'
        | 'malformed event'
        | 'snapshots fail'
        | 'snapshots work'
        | 'settle';
    }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'attach' | 'detach' | 'suspend' | 'resume' | 'stall' | 'go on'; readonly tab: number };

const arbTab = fc.nat(3);
const arbStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      key: fc.constantFrom('a', 'b', 'c'),
      how: fc.constantFrom('update' as const, 'delete' as const),
      fate: fc.constantFrom('arrives' as const, 'arrives' as const, 'twice' as const, 'lost' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'attach' as const,
        'detach' as const,
        'suspend' as const,
        'resume' as const,
        'stall' as const,
        'go on' as const,
      ),
      tab: arbTab,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'cut' as const,
        'forget' as const,
        'new epoch' as const,
        'malformed event' as const,
        'snapshots fail' as const,
        'snapshots work' as const,
        'settle' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(100, 2_000, 15_000) }),
  },
);

function createWorld() {
  const system = createFakeSystem();
  const transport = createFakeTransport();
  const server = createFakeFlagServer();
  const answered = new Set<FakeStream>();
  const hub = createHub({
    bootId: 'boot',
    scope: 'walk',
    url: 'http://server',
    policy: {},
    transport,
    store: createMemoryStore(),
    system,
    trace: () => {},
    traceEntries: [],
    claimStream: ({ onHeld }) => {
      onHeld();
      return { release: () => {} };
    },
    announcements: { post: () => {}, onAnnouncement: () => {}, close: () => {} },
    onIdle: () => {},
  });
  const workingSnapshots = () => ({ ended: 'snapshot', snapshot: server.snapshot().snapshot }) as const;
  transport.answerSnapshots(workingSnapshots);

  const tabs = Array.from({ length: 4 }, (_, index) => createTab(`tab${index}`));

  function createTab(tabId: string) {
    let mirror = createMirror();
    let isAttached = false;
    let isSuspended = false;
    let isStalled = false;
    let shown: EventId | undefined;
    let goOn: (() => void)[] = [];
    const isCurrent = (): boolean =>
      mirror.held?.epoch === server.now.epoch && mirror.held.revision === server.now.revision;
    return {
      attach: () => {
        if (isAttached) return;
        mirror = createMirror();
        isAttached = true;
        isSuspended = false;
        shown = undefined;
        hub.attach({
          tabId,
          filter: undefined,
          held: undefined,
          sink: {
            deliver: async ({ update }) => {
              if (isStalled) await new Promise<void>((resolve) => goOn.push(resolve));
              if (!isAttached || update === undefined) return;
              if (mirror.apply(update) === 'gap') hub.resume(tabId, mirror.held);
              checkMirror();
            },
            accessToken: async () => 'token',
          },
        });
      },
      detach: () => {
        isAttached = false;
        hub.detach(tabId);
      },
      suspend: () => {
        if (!isAttached) return;
        isSuspended = true;
        hub.suspend(tabId);
      },
      resume: () => {
        if (!isSuspended || !isAttached) return;
        isSuspended = false;
        hub.resume(tabId, mirror.held);
      },
      stall: () => {
        isStalled = true;
      },
      goOn: () => {
        isStalled = false;
        for (const resolve of goOn) resolve();
        goOn = [];
      },
      isActive: () => isAttached && !isSuspended,
      isCurrent,
    };

    /** The tab shows a state that the server had, and never an earlier one of the same epoch. */
    function checkMirror(): void {
      const { held } = mirror;
      if (held === undefined) return;
      expect(new Map(mirror.flags)).toEqual(server.at(held));
      if (shown?.epoch === held.epoch) expect(held.revision).toBeGreaterThanOrEqual(shown.revision);
      shown = held;
    }
  }

  /** The server answers every stream that has been asked for since. */
  const serve = async (): Promise<void> => {
    await settle();
    for (const stream of transport.open) {
      if (answered.has(stream)) continue;
      answered.add(stream);
      stream.send(...server.opening(stream.request.after));
    }
    expect(transport.open.length).toBeLessThanOrEqual(1);
    await settle();
  };

  const take = async (step: Step): Promise<void> => {
    switch (step.do) {
      case 'edit': {
        const live = transport.open.filter((stream) => answered.has(stream));
        const message = server.edit(step.key, step.how);
        const times = { arrives: 1, twice: 2, lost: 0 }[step.fate];
        for (let n = 0; n < times; n += 1) for (const stream of live) stream.send(message);
        return;
      }
      case 'cut':
        for (const stream of transport.open) stream.end();
        return;
      case 'forget':
        await hub.forget();
        return;
      case 'new epoch':
        server.startNewEpoch();
        for (const stream of transport.open) stream.end();
        return;
      case 'malformed event':
        for (const stream of transport.open) {
          if (answered.has(stream)) stream.listener.malformed(new FlagError('invalid_data', 'broken'));
        }
        return;
      case 'snapshots fail':
        transport.answerSnapshots(() => ({ ended: 'refused', status: 503, retryAfterMs: undefined }));
        return;
      case 'snapshots work':
        transport.answerSnapshots(workingSnapshots);
        return;
      case 'wait':
        await system.advance(step.ms);
        return;
      case 'settle':
        await serve();
        return;
      case 'attach':
      case 'detach':
      case 'suspend':
      case 'resume':
      case 'stall':
        tabs[step.tab]?.[step.do]();
        return;
      case 'go on':
        tabs[step.tab]?.goOn();
    }
  };

  /** Time passes and the server answers and beats, until a stream lives and all is current: longer than every backoff and poll. */
  const recover = async (): Promise<void> => {
    for (let passedMs = 0; passedMs < 700_000; passedMs += 5_000) {
      await serve();
      const isLive = transport.open.some((stream) => answered.has(stream));
      if (isLive && tabs.every((tab) => !tab.isActive() || tab.isCurrent())) return;
      for (const stream of transport.open) stream.beat(server.now);
      await system.advance(5_000);
    }
  };

  return { transport, server, tabs, hub, take, recover, workingSnapshots };
}

test('every tab shows a state of the server after every step, there is never a second stream, and all tabs are current when the faults end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbStep, { minLength: 5, maxLength: 60 }), async (steps) => {
      const world = createWorld();
      for (const step of steps) {
        await world.take(step);
        await settle();
        expect(world.transport.open.length).toBeLessThanOrEqual(1);
      }
      world.transport.answerSnapshots(world.workingSnapshots);
      for (const tab of world.tabs) {
        tab.goOn();
        tab.resume();
        tab.attach();
      }
      // After `forget` nothing comes until somebody asks.
      void world.hub.refresh();
      await world.recover();
      expect(world.tabs.map((tab) => tab.isCurrent())).toEqual([true, true, true, true]);
      // A last edit shows whether all are still listening.
      const last = world.server.edit('a', 'update');
      for (const stream of world.transport.open) stream.send(last);
      // A change that a stream has swallowed shows with the next one, or when the stream is opened anew.
      if (steps.some((step) => step.do === 'edit' && step.fate === 'lost')) await world.take({ do: 'cut' });
      await world.recover();
      expect(world.tabs.map((tab) => tab.isCurrent())).toEqual([true, true, true, true]);
      world.hub.close();
    }),
    { numRuns: 2_000 },
  );
});
