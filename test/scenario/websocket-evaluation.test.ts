/** What Flagent 0.1.7 decides, asked over a WebSocket of a running server, through the public client. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EvaluationRequest } from '../../src/core/evaluate/evaluation.ts';
import type { Flag } from '../../src/core/model.ts';
import { FlagentWebSocketClient } from '../../src/index.ts';
import { variantTables } from '../kit/evaluation-rollouts.ts';
import { type EvaluationServer, startEvaluationServer } from '../kit/evaluation-server.ts';
import { flagWith, generatedSets, matrixRows } from '../kit/evaluation-vectors.ts';

let server: EvaluationServer;
let client: FlagentWebSocketClient;

beforeAll(async () => {
  server = await startEvaluationServer();
  client = new FlagentWebSocketClient({ url: server.url });
});

afterAll(async () => {
  client.close();
  await server.close();
});

async function decide(flags: readonly Flag[], requests: readonly EvaluationRequest[]) {
  await server.hold(flags);
  return Promise.all(
    requests.map(({ flagKey = '', entityID = '', entityContext = {} }) =>
      client.evaluate({ flagKey, entityID, entityContext }),
    ),
  );
}

test('every operator answers as Flagent does for every pair of values', async () => {
  const flags = matrixRows.map(({ operator, value }, index) =>
    flagWith([{ property: 'p', operator, value }], { id: index + 1, key: `row_${index}` }),
  );
  const requests = matrixRows.map(({ contextValue }, index) => ({
    flagKey: `row_${index}`,
    entityID: 'user',
    entityContext: contextValue === undefined ? {} : { p: contextValue },
  }));
  const answers = await decide(flags, requests);
  const wrong = matrixRows.filter(({ match }, index) => (answers[index]?.reason === 'MATCH') !== match);
  expect([wrong, answers.length]).toEqual([[], matrixRows.length]);
});

test('the random evaluations come out as in Flagent', async () => {
  let count = 0;
  for (const { flags, cases } of generatedSets()) {
    const answers = await decide(
      flags,
      cases.map(({ request }) => request),
    );
    const found = answers.map(({ variantID, segmentID, reason }) => ({ variantID, segmentID, reason }));
    expect(found).toEqual(cases.map((one) => one.expect));
    count += cases.length;
  }
  expect(count).toBeGreaterThanOrEqual(600);
});

test('every entity gets the variant that Flagent gives it, at every percentage', async () => {
  for (const { name, flags, requests, expected } of variantTables()) {
    const answers = await decide(flags, requests);
    expect(
      answers.map(({ variantID }) => variantID),
      name,
    ).toEqual(expected);
  }
});

test('an entity without an id gets one by chance, as over REST', async () => {
  const [answer] = await decide([flagWith([])], [{ flagKey: 'f' }]);
  expect(answer?.entityID).toMatch(/^randomly_generated_-?\d+$/);
  expect(answer?.variantKey).toBe('on');
});
