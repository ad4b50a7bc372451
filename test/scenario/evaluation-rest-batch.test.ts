/** `POST /evaluation/batch`: many flags for many entities, in Flagent's order, up to a limit. */
import { expect, test } from 'vitest';
import type { EvaluationJson } from '../kit/evaluation-rest.ts';
import { flagWith } from '../kit/evaluation-vectors.ts';
import { CHECKOUT, evaluation, evaluations, serverWith, tagged } from './evaluation-rest-kit.ts';
import { openServer, type RestAnswer } from './server-kit.ts';

const names = (answer: RestAnswer) =>
  evaluations(answer).map(
    ({ flagKey, flagID, evalContext }) => `${flagKey || flagID} ${evalContext.entityID}`,
  );

test('a batch is in Flagent’s order: tags by entity, then ids, then keys by flag, and nothing is left out as double', async () => {
  const { rest } = await serverWith(
    flagWith([], { id: 1, key: 'one', tags: tagged('b') }),
    flagWith([], { id: 2, key: 'two', tags: tagged('a', 'b') }),
    flagWith([], { id: 3, key: 'off', tags: tagged('a'), enabled: false }),
  );
  const answer = await rest('POST', '/evaluation/batch', {
    entities: [{ entityID: 'x' }, { entityID: 'y' }],
    flagTags: ['a', 'b', 'a'],
    flagIDs: [2, 1],
    flagKeys: ['one', 'unknown'],
  });
  expect(answer.status).toBe(200);
  expect(names(answer)).toEqual([
    ...['two x', 'one x', 'two y', 'one y'],
    ...['two x', 'two y', 'one x', 'one y'],
    ...['one x', 'one y', 'unknown x', 'unknown y'],
  ]);
});

test.each([
  [undefined, ['both', 'first', 'second']],
  ['ANY', ['both', 'first', 'second']],
  ['ALL', ['both']],
])('a batch with the tags operator %s chooses %j', async (flagTagsOperator, chosen) => {
  const { rest } = await serverWith(
    flagWith([], { id: 1, key: 'both', tags: tagged('a', 'b') }),
    flagWith([], { id: 2, key: 'first', tags: tagged('a') }),
    flagWith([], { id: 3, key: 'second', tags: tagged('b') }),
    flagWith([], { id: 4, key: 'third', tags: tagged('c') }),
    flagWith([], { id: 5, key: 'deleted', tags: tagged('a', 'b') }),
  );
  await rest('DELETE', '/flags/5');
  const batch = { entities: [{ entityID: 'x' }], flagTags: ['a', 'b'], flagTagsOperator };
  const keys = evaluations(await rest('POST', '/evaluation/batch', batch)).map(({ flagKey }) => flagKey);
  expect(keys).toEqual(chosen);
});

test('a batch answers each pair as a single request would', async () => {
  const { rest } = await serverWith(CHECKOUT, flagWith([], { id: 8, key: 'off', enabled: false }));
  const flagKeys = ['checkout', 'off', 'unknown'];
  const entities = [
    { entityID: 'a', entityType: 'device', entityContext: { age: 40 } },
    { entityID: 'b', entityContext: { age: '4' } },
    { entityID: 'c' },
  ];
  const options = { enableDebug: true };
  const batch = evaluations(await rest('POST', '/evaluation/batch', { entities, flagKeys, ...options }));
  const singles: EvaluationJson[] = [];
  for (const flagKey of flagKeys) {
    for (const entity of entities) {
      singles.push(evaluation(await rest('POST', '/evaluation', { ...entity, flagKey, ...options })));
    }
  }
  const timeless = (answers: readonly EvaluationJson[]) =>
    answers.map((answer) => ({ ...answer, timestamp: 0 }));
  expect(timeless(batch)).toEqual(timeless(singles));
});

test.each([
  ['{"flagKeys": ["f"]}', 'entities must be a list of at least one entity, but is missing'],
  ['{"flagKeys": ["f"], "entities": []}', 'entities must be a list of at least one entity'],
  ['{"flagKeys": ["f"], "entities": [{}, 1]}', 'entities[1] must be an object, but is 1'],
  ['{"entities": [{}]}', 'flagIDs, flagKeys or flagTags must be a list that names at least one flag'],
  ['{"entities": [{}], "flagIDs": [1, "2"]}', 'flagIDs[1] must be a whole number from 0, but is "2"'],
  ['{"entities": [{}], "flagKeys": "f"}', 'flagKeys must be a list, but is "f"'],
  ['{"entities": [{}], "flagTags": [null]}', 'flagTags[0] must be a string, but is null'],
  [
    '{"entities": [{}], "flagTags": ["a"], "flagTagsOperator": "NONE"}',
    'flagTagsOperator must be ANY or ALL, but is "NONE"',
  ],
  [
    '{"flagKeys": ["f"], "entities": [{}, {"entityContext": {"tags": ["a"]}}]}',
    'entities[1].entityContext.tags must be a string, a number, true or false, but is a list',
  ],
])('a batch of %s is refused, and the answer says why', async (body, message) => {
  const { rest } = await openServer();
  const answer = await rest('POST', '/evaluation/batch', body);
  expect(answer.status).toBe(400);
  expect((answer.json as { error: string }).error).toContain(message);
});

test('a batch of more than 10 000 evaluations is refused with both numbers; 10 000 are answered', async () => {
  const { rest } = await serverWith(
    flagWith([], { id: 1, key: 'a', tags: tagged('t') }),
    flagWith([], { id: 2, key: 'b', tags: tagged('t') }),
  );
  const entities = Array.from({ length: 2_500 }, (_, index) => ({ entityID: String(index) }));
  const batch = { entities, flagTags: ['t'], flagIDs: [1], flagKeys: ['a'] };
  expect(evaluations(await rest('POST', '/evaluation/batch', batch))).toHaveLength(10_000);
  const refused = await rest('POST', '/evaluation/batch', { ...batch, flagIDs: [1, 2] });
  expect(refused.status).toBe(413);
  expect((refused.json as { error: string }).error).toContain(
    'The batch asks for 12500 evaluations (2500 entities × 5 flags); the limit is 10000.',
  );
});

test('who has no id is let in or not by chance, and the log tells of the same throw as the answer', async () => {
  const { rest } = await serverWith(
    flagWith([], { id: 1, key: 'half', segments: [{ ...flagWith([]).segments[0], rolloutPercent: 50 }] }),
    flagWith([], { id: 2, key: 'upper', dependsOn: ['half'] }),
  );
  const entities = Array.from({ length: 60 }, () => ({}));
  const answers = evaluations(await rest('POST', '/evaluation/batch', { entities, flagKeys: ['upper'] }));
  const outcomes = answers.map(({ reason, evalDebugLog }) => `${reason}: ${evalDebugLog?.msg}`);
  expect(new Set(outcomes)).toEqual(
    new Set(['MATCH: undefined', 'DEPENDENCY_NOT_MET: dependency "half" is disabled or has no variant']),
  );
});
