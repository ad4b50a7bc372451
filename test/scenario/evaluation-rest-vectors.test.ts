/** Every row of what Flagent 0.1.7 decides, through the endpoints of a running server. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Decider } from '../kit/evaluation-decider.ts';
import { restDecider } from '../kit/evaluation-rest.ts';
import { type CountRow, countRows } from '../kit/evaluation-rollouts.ts';
import { type EvaluationServer, startEvaluationServer } from '../kit/evaluation-server.ts';
import { decidesAsFlagent } from '../kit/evaluation-suite.ts';

let server: EvaluationServer;
let decider: Decider;

beforeAll(async () => {
  server = await startEvaluationServer();
  decider = restDecider(server);
});

afterAll(() => server.close());

/** The algorithm alone leaves an empty id out; the server makes one up before it gets there, as Flagent's does. */
decidesAsFlagent(() => decider, {
  'flagent/rollout-empty-entity': 'a server gives an entity without an id one by chance',
});

test('100 000 entities are spread as Flagent spreads them', async () => {
  // The other rows are counted in a page, where so many cost less than over HTTP.
  const row = countRows().find(({ name }) => name === '10-20-30-40 at 50 %') as CountRow;
  const found: Record<string, number> = {};
  for (let start = 0; start < row.entities; start += 10_000) {
    const requests = Array.from({ length: 10_000 }, (_, index) => ({
      flagKey: 'f',
      entityID: String(start + index),
    }));
    for (const { variantID } of await decider.decide([row.flag], requests)) {
      const variant = String(variantID ?? 'none');
      found[variant] = (found[variant] ?? 0) + 1;
    }
  }
  expect(found).toEqual(row.counts);
});
