/** What the client evaluates: the flags it holds, for whom it is asked, and else for the entity of its options. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evaluate, isEnabledResult } from '../../src/core/evaluate/evaluate.ts';
import type { Entity, FlagClient } from '../../src/index.ts';
import { startTestServer, type TestServer } from '../../src/testing/index.ts';
import { createClientInNode } from '../kit/client-in-node.ts';
import { lookup } from '../kit/flag-lookup.ts';
import { buildFlag, buildFlags } from '../kit/flags.ts';

const RUNS = { seed: 5, numRuns: 200 } as const;

const many = buildFlags(20);
const FLAGS = [
  ...many,
  buildFlag('after-first', { id: 21, dependsOn: [many[0]?.key ?? ''] }),
  buildFlag('after-none', { id: 22, dependsOn: ['missing'] }),
  buildFlag('for-users', { id: 23, entityType: 'user' }),
];
const DEFAULT: Entity = { entityID: 'default', entityType: 'device', entityContext: { country: '"DE"' } };

let server: TestServer;
let client: FlagClient;

beforeAll(async () => {
  server = await startTestServer({ flags: FLAGS });
  client = createClientInNode({ url: server.url, entity: DEFAULT });
  await client.ready({ timeoutMs: 15_000 });
});

afterAll(async () => {
  await client.close();
  await server.close();
});

const arbKey = fc.constantFrom(...FLAGS.map(({ key }) => key), 'missing', '');

const arbEntity: fc.Arbitrary<Entity> = fc.record(
  {
    entityID: fc.oneof(
      fc.nat().map((number) => `user-${number}`),
      fc.constantFrom('', ' '),
    ),
    entityType: fc.constantFrom('user', ''),
    entityContext: fc.dictionary(
      fc.constantFrom('country', '__proto__'),
      fc.constantFrom('"US"', '"DE"', '"FR"', 1, null),
    ),
  },
  { requiredKeys: [] },
);

test('a batch is all its single evaluations, flag by flag and within each entity by entity', async () => {
  const reasons = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbKey, { maxLength: 5 }),
      fc.array(arbEntity, { maxLength: 5 }),
      fc.boolean(),
      async (flagKeys, entities, enableDebug) => {
        const results = await client.evaluateBatch({ flagKeys, entities, enableDebug });
        const singles: unknown[] = [];
        for (const flagKey of flagKeys) {
          for (const entity of entities)
            singles.push(client.evaluateNow({ ...entity, flagKey, enableDebug }));
        }
        expect(results).toEqual(singles);
        for (const { reason } of results) reasons.add(reason);
      },
    ),
    RUNS,
  );
  expect(reasons.size).toBeGreaterThan(4);
});

test('evaluateNow, evaluate and isEnabled say what the evaluator says of the flags that the server was given', async () => {
  await fc.assert(
    fc.asyncProperty(arbKey, arbEntity, async (flagKey, entity) => {
      const asked = { ...DEFAULT, ...entity, flagKey };
      const { flagSnapshotID: _, ...expected } = evaluate(lookup(FLAGS), asked);
      const now = client.evaluateNow({ ...entity, flagKey });
      expect(now).toMatchObject(expected);
      expect(await client.evaluate({ ...entity, flagKey })).toEqual(now);
      expect(await client.isEnabled(flagKey)).toBe(isEnabledResult(client.evaluateNow({ flagKey })));
    }),
    RUNS,
  );
});

test('what a question leaves out is taken from the entity of the options', () => {
  expect(client.evaluateNow({ flagKey: 'for-users' })).toMatchObject({
    entityID: 'default',
    entityType: 'device',
  });
  expect(client.evaluateNow({ flagKey: 'for-users', entityID: 'u' })).toMatchObject({
    entityID: 'u',
    entityType: 'device',
  });
});
