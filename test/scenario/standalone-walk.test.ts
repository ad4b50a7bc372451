/** Random walks of the clients without a hub: subscriptions come and go while flags are edited and the network is cut, against the server's own history. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FlagChange } from '../../src/core/state/flag-change.ts';
import type { FlagSelector } from '../../src/core/state/selector.ts';
import { startFaultProxy } from '../../src/testing/fault-proxy.ts';
import { startTestServer } from '../../src/testing/test-server.ts';
import { eventually, flag, openClient } from './sse-client-kit.ts';
import { openSocketClient } from './websocket-client-kit.ts';

const KEYS = ['a', 'b', 'c'] as const;
const TAG = 'web';

const SELECTORS: readonly (FlagSelector | undefined)[] = [
  undefined,
  'a',
  { flagKeys: ['a', 'b'] },
  { flagKeys: ['c'] },
  { tags: [TAG] },
];

type Step =
  | {
      readonly do: 'edit';
      readonly key: (typeof KEYS)[number];
      readonly isTagged: boolean;
      /** `calm`: everybody is current before and after, so each must hear of exactly this. */
      readonly when: 'calm' | 'at once';
    }
  | { readonly do: 'subscribe'; readonly selector: number }
  | { readonly do: 'stop'; readonly which: number }
  | { readonly do: 'evaluate'; readonly key: (typeof KEYS)[number] }
  | { readonly do: 'cut' };

const arbStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      key: fc.constantFrom(...KEYS),
      isTagged: fc.boolean(),
      when: fc.constantFrom('calm' as const, 'at once' as const, 'at once' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      selector: fc.nat({ max: SELECTORS.length - 1 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('stop' as const), which: fc.nat({ max: 9 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('evaluate' as const), key: fc.constantFrom(...KEYS) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'cut' as const }) },
);

/** What can be seen of a flag here. */
interface Seen {
  readonly description: string;
  readonly isTagged: boolean;
}

/** The server's flags after each revision. */
type History = ReadonlyMap<string, Seen>[];

const seen = (of: FlagChange['flag']): Seen | undefined =>
  of && { description: of.description, isTagged: of.tags.some(({ value }) => value === TAG) };

/** One subscription, which believes nothing that it is told. */
function createWitness(selector: FlagSelector | undefined, history: History) {
  const told = new Map<string, { readonly state: Seen | undefined; readonly revision: number }>();
  const counts = new Map<string, number>();
  const isByTag = typeof selector === 'object' && 'tags' in selector;
  const keys = typeof selector === 'object' && 'flagKeys' in selector ? selector.flagKeys : KEYS;
  const isWanted = (key: string) => (typeof selector === 'string' ? key === selector : keys.includes(key));
  const complaints: string[] = [];

  return {
    complaints,
    counts,
    isWanted: (key: string, ...states: (Seen | undefined)[]) =>
      isByTag ? states.some((state) => state?.isTagged) : isWanted(key),
    listen: ({ flagKey, flag: now, previous, revision }: FlagChange) => {
      const last = told.get(flagKey);
      const state = seen(now);
      const complain = (what: string) =>
        complaints.push(
          `${flagKey} @${revision}: ${what}; ${JSON.stringify({ last, state, previous: seen(previous) })}`,
        );
      if (!isWanted(flagKey)) complain('was not asked for');
      if (last !== undefined && revision <= last.revision) complain('is not newer than what was told');
      if (last !== undefined && JSON.stringify(state) === JSON.stringify(last.state))
        complain('was told twice');
      const atServer = history[revision]?.get(flagKey);
      // For a filter, a flag that has left it is gone.
      const isRight = JSON.stringify(state) === JSON.stringify(atServer) || (isByTag && state === undefined);
      if (!isRight) complain(`at the server it was ${JSON.stringify(atServer)}`);
      if (!isByTag && JSON.stringify(seen(previous)) !== JSON.stringify(last?.state)) {
        complain('has a previous that was not told');
      }
      told.set(flagKey, { state, revision });
      counts.set(flagKey, (counts.get(flagKey) ?? 0) + 1);
    },
    isCurrent: () =>
      KEYS.every((key) => {
        const mine = told.get(key)?.state;
        const atServer = history.at(-1)?.get(key);
        if (isByTag)
          return (
            JSON.stringify(mine?.isTagged ? mine : undefined) ===
            JSON.stringify(atServer?.isTagged ? atServer : undefined)
          );
        return !isWanted(key) || JSON.stringify(mine) === JSON.stringify(atServer);
      }),
  };
}

/** As much of a client as a walk needs. */
interface Walker {
  subscribe(selector: FlagSelector | undefined, listener: (change: FlagChange) => void): () => void;
  /** Asks the server about a flag, and is content with any answer or refusal that comes. */
  evaluate(key: string): Promise<void>;
  close(): void;
}

const WALKERS: readonly { readonly name: string; readonly open: (url: string) => Walker }[] = [
  {
    name: 'FlagentSSEClient',
    open: (url) => {
      const { client } = openClient({ url });
      return {
        subscribe: (selector, listener) =>
          selector === undefined ? client.subscribeAll(listener) : client.subscribe(selector, listener),
        evaluate: () => Promise.resolve(),
        close: () => client.close(),
      };
    },
  },
  {
    name: 'FlagentWebSocketClient',
    open: (url) => {
      const { client } = openSocketClient({ url });
      return {
        subscribe: (selector, listener) => {
          if (selector === undefined) return client.subscribeAll(listener);
          if (typeof selector !== 'string') return client.subscribe(selector, listener);
          return client.subscribe(selector, (_, change) => listener(change));
        },
        evaluate: async (flagKey) => {
          await client.evaluate({ flagKey, entityID: 'u' }).then(
            (result) => expect(result.flagKey).toBe(flagKey),
            (error) => expect(error).toMatchObject({ name: 'FlagError', code: 'unreachable' }),
          );
        },
        close: () => client.close(),
      };
    },
  },
];

async function walk(open: (url: string) => Walker, steps: readonly Step[]): Promise<void> {
  const server = await startTestServer({ closeTimeoutMs: 200 });
  const proxy = await startFaultProxy(server.url);
  const client = open(proxy.url);
  const asked: Promise<void>[] = [];
  const history: History = [new Map()];
  const everybody: ReturnType<typeof createWitness>[] = [];
  let listening: { readonly witness: ReturnType<typeof createWitness>; readonly stop: () => void }[] = [];

  const everybodyIsCurrent = () => eventually(() => listening.every(({ witness }) => witness.isCurrent()));
  const edit = async (key: string, isTagged: boolean) => {
    const state = { description: `edit ${history.length}`, isTagged };
    const before = history.at(-1);
    // First: a change can be told before the server has answered.
    history.push(new Map(before).set(key, state));
    await server.importFlags([flag(key, state.description, isTagged ? [TAG] : [])]);
    return { state, before: before?.get(key) };
  };

  const take = async (step: Step) => {
    switch (step.do) {
      case 'cut':
        proxy.cut();
        return;
      case 'evaluate':
        asked.push(client.evaluate(step.key));
        return;
      case 'subscribe': {
        const selector = SELECTORS[step.selector];
        const witness = createWitness(selector, history);
        everybody.push(witness);
        const stop = client.subscribe(selector, witness.listen);
        listening.push({ witness, stop });
        return;
      }
      case 'stop': {
        const gone = listening[step.which % Math.max(1, listening.length)];
        gone?.stop();
        listening = listening.filter((other) => other !== gone);
        return;
      }
      case 'edit': {
        if (step.when === 'at once') {
          await edit(step.key, step.isTagged);
          return;
        }
        await everybodyIsCurrent();
        const counts = listening.map(({ witness }) => witness.counts.get(step.key) ?? 0);
        const { state, before } = await edit(step.key, step.isTagged);
        await everybodyIsCurrent();
        for (const [index, { witness }] of listening.entries()) {
          if (!witness.isWanted(step.key, state, before)) continue;
          await eventually(() => (witness.counts.get(step.key) ?? 0) > (counts[index] ?? 0));
          expect(witness.counts.get(step.key)).toBe((counts[index] ?? 0) + 1);
        }
      }
    }
  };

  try {
    for (const step of steps) await take(step);
    await everybodyIsCurrent();
    await Promise.all(asked);
    expect(everybody.flatMap(({ complaints }) => complaints)).toEqual([]);
  } finally {
    client.close();
    await proxy.stop();
    await server.close();
  }
}

test.each(WALKERS)(
  '$name: whatever comes and goes, each subscription is told what the server did, no change lost and none twice',
  async ({ open }) => {
    const walked = fc.asyncProperty(fc.array(arbStep, { minLength: 5, maxLength: 30 }), (steps) =>
      walk(open, steps),
    );
    await fc.assert(walked, {
      numRuns: 80,
      interruptAfterTimeLimit: 90_000,
      markInterruptAsFailure: true,
    });
  },
  120_000,
);
