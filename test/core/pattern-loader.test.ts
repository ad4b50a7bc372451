/** The pattern engine is a file of its own: it is here before the first flag that needs it is shown, and most pages never load it. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { evaluate } from '../../src/core/evaluate/evaluate.ts';
import type { Flag } from '../../src/core/model.ts';
import type { HubStatus } from '../../src/core/state/status.ts';
import type { Update } from '../../src/core/state/update.ts';
import type { TabSink } from '../../src/hub/contract.ts';
import { linkTab, type TabLink } from '../../src/page/link-tab.ts';
import { createPatternLoader } from '../../src/page/pattern-loader.ts';
import { createShownFlags, type ShownFlags } from '../../src/page/shown-flags.ts';
import { createListeners } from '../../src/system/listeners.ts';
import { buildFlag } from '../kit/flags.ts';

let sink: TabSink | undefined;

vi.mock('../../src/page/reach-hub.ts', () => ({
  reachHub: (link: { readonly sink: TabSink }) => {
    sink = link.sink;
    return { call: async () => null, catchUp: () => {}, close: async () => {} };
  },
}));

const LIVE: HubStatus = {
  connection: { is: 'live', sinceMs: 0 } as HubStatus['connection'],
  storage: 'persistent',
  source: 'server',
  epoch: 'e',
  revision: 1,
  confirmedAtMs: 0,
  tabs: 1,
  isLeader: true,
  isFollower: false,
};

let shown: ShownFlags;
let link: TabLink;

/** Settles when the update is shown. */
function deliver(update: Update): Promise<void> {
  if (sink === undefined) throw new Error('The tab has not reached its hub.');
  return sink.deliver({ bootId: 'b', update, status: LIVE });
}

beforeEach(() => {
  shown = createShownFlags();
  link = linkTab({
    options: { url: 'https://flags.example.com' },
    shown,
    changes: createListeners(),
    statuses: createListeners(),
    moments: createListeners(),
    until: async () => {},
    earlyWorker: undefined,
  });
});

afterEach(() => link.close());

function flagFor(operator: string, value: string): Flag {
  const [segment] = buildFlag('f').segments;
  if (segment === undefined) throw new Error('The built flag has a segment.');
  const constraints = [{ id: 1, property: 'p', operator, value }];
  return buildFlag('f', { segments: [{ ...segment, constraints }] });
}

function whole(...flags: readonly Flag[]): Update {
  return { kind: 'all', epoch: 'e', revision: 1, flagsJson: JSON.stringify(flags) };
}

function patch(flag: Flag): Update {
  const patches = [{ flagKey: flag.key, flag, type: 'FLAG_UPDATED' }] as const;
  return { kind: 'patch', epoch: 'e', fromRevision: 1, revision: 2, patches };
}

function reasonFor(p: string): string {
  return evaluate(shown, { flagKey: 'f', entityID: 'u', entityContext: { p } }).reason;
}

test.each([
  undefined,
  { kind: 'empty' } as const,
  whole(),
  whole(flagFor('EQ', 'x')),
  patch(flagFor('CONTAINS', 'x')),
])('nothing is loaded for an update without a pattern: %#', (update) => {
  const loader = createPatternLoader({ isWanted: () => true, onFailure: () => {}, onLoaded: () => {} });
  expect(loader.loadFor(update)).toBeUndefined();
});

test.each(['EREG', 'NEREG'])(
  'the engine is loaded once for the operator %s, in a snapshot and in a patch',
  async (operator) => {
    const onLoaded = vi.fn();
    const loader = createPatternLoader({ isWanted: () => true, onFailure: () => {}, onLoaded });
    await loader.loadFor(whole(flagFor(operator, 'a+')));
    await loader.loadFor(patch(flagFor(operator, 'a+')));
    expect(onLoaded).toHaveBeenCalledTimes(1);
  },
);

test('a flag with a pattern is decided rightly from the first moment it is shown', async () => {
  await deliver(whole(flagFor('EREG', 'a+')));
  expect([reasonFor('aa'), reasonFor('b')]).toEqual(['MATCH', 'NO_MATCH']);
});

test('a pattern that comes with a later change is decided rightly too', async () => {
  await deliver(whole(flagFor('EQ', 'x')));
  await deliver(patch(flagFor('NEREG', 'a+')));
  expect([reasonFor('aa'), reasonFor('b')]).toEqual(['NO_MATCH', 'MATCH']);
});

test('flags that wait for the engine do not come back after a sign-out', async () => {
  const delivered = deliver(whole(flagFor('EREG', 'a+')));
  await link.forget();
  await delivered;
  expect(shown.held).toBeUndefined();
  expect(shown.flags.size).toBe(0);
});
