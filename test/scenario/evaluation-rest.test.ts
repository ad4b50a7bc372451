/** `POST /evaluation`: Flagent's shapes with our reasons, and errors that say what is wrong where. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EvaluationJson } from '../kit/evaluation-rest.ts';
import { flagWith } from '../kit/evaluation-vectors.ts';
import { CHECKOUT, evaluation, serverWith, tagged } from './evaluation-rest-kit.ts';
import { openServer } from './server-kit.ts';

test('an answer has every field of Flagent, and the reason', async () => {
  const { rest, server } = await serverWith(CHECKOUT);
  const before = Date.now();
  const answer = await rest('POST', '/evaluation', {
    flagID: 7,
    entityID: 'user123',
    entityContext: { age: '30' },
  });
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual({
    flagID: 7,
    flagKey: 'checkout',
    flagSnapshotID: server.source.revision,
    flagTags: ['web', 'shop'],
    segmentID: 1,
    variantID: 10,
    variantKey: 'on',
    variantAttachment: { colour: 'green' },
    evalContext: { entityID: 'user123', entityType: 'user', entityContext: { age: '30' } },
    evalDebugLog: null,
    timestamp: expect.any(Number),
    reason: 'MATCH',
  });
  expect(evaluation(answer).timestamp).toBeGreaterThanOrEqual(before);
  expect(evaluation(answer).timestamp).toBeLessThanOrEqual(Date.now());
});

test('with enableDebug the answer has the steps, and the log that Flagent makes of them', async () => {
  const { rest } = await serverWith(CHECKOUT);
  const ask = { flagKey: 'checkout', entityID: 'user123', enableDebug: true };
  expect((await rest('POST', '/evaluation', { ...ask, entityContext: { age: 30 } })).json).toMatchObject({
    evalDebugLog: {
      msg: '',
      segmentDebugLogs: [{ segmentID: 1, msg: 'matched all constraints. rollout yes. variantID: 10' }],
    },
    steps: [{ is: 'let_in', segmentID: 1, variantID: 10, rolloutPercent: 100 }],
  });
  expect((await rest('POST', '/evaluation', { ...ask, entityContext: { age: 3 } })).json).toMatchObject({
    variantID: null,
    evalDebugLog: {
      msg: 'segment_id 1 did not match constraints',
      segmentDebugLogs: [{ segmentID: 1, msg: 'segment_id 1 did not match constraints' }],
    },
    steps: [{ is: 'constraint_failed', segmentID: 1, text: '3' }],
  });
});

test('without a variant there is a log even without enableDebug, and it has no segments', async () => {
  const { rest } = await serverWith(
    CHECKOUT,
    flagWith([], { id: 2, key: 'empty', segments: [] }),
    flagWith([], { id: 3, key: 'upper', dependsOn: ['checkout'] }),
  );
  const logOf = async (flagKey: string) => {
    const { json } = await rest('POST', '/evaluation', { flagKey, entityID: 'user123' });
    expect(json).not.toHaveProperty('steps');
    const { reason, evalDebugLog } = json as EvaluationJson;
    return { reason, evalDebugLog };
  };
  expect(await logOf('checkout')).toEqual({
    reason: 'NO_MATCH',
    evalDebugLog: { msg: '', segmentDebugLogs: [] },
  });
  expect(await logOf('empty')).toEqual({
    reason: 'NO_SEGMENTS',
    evalDebugLog: { msg: 'flagID 2 has no segments', segmentDebugLogs: [] },
  });
  expect(await logOf('upper')).toEqual({
    reason: 'DEPENDENCY_NOT_MET',
    evalDebugLog: { msg: 'dependency "checkout" is disabled or has no variant', segmentDebugLogs: [] },
  });
});

test('an unknown, a deleted and a disabled flag are all not found, and the reason tells the disabled one apart', async () => {
  const { rest } = await serverWith(
    CHECKOUT,
    flagWith([], { id: 8, key: 'off', enabled: false, entityType: 'user', tags: tagged('web') }),
    flagWith([], { id: 9, key: 'deleted' }),
  );
  await rest('DELETE', '/flags/9');
  const gone = (flagID: number, flagKey: string, reason: string) => ({
    flagID,
    flagKey,
    flagSnapshotID: 0,
    flagTags: [],
    segmentID: null,
    variantID: null,
    variantKey: null,
    variantAttachment: null,
    evalContext: { entityID: null, entityType: null, entityContext: null },
    evalDebugLog: { msg: `flagID ${flagID} not found or deleted`, segmentDebugLogs: [] },
    timestamp: expect.any(Number),
    reason,
  });
  const ask = async (body: object) => (await rest('POST', '/evaluation', body)).json;
  expect(await ask({ flagKey: 'unknown' })).toEqual(gone(0, 'unknown', 'FLAG_NOT_FOUND'));
  expect(await ask({ flagKey: 'deleted' })).toEqual(gone(0, 'deleted', 'FLAG_NOT_FOUND'));
  expect(await ask({ flagID: 9 })).toEqual(gone(9, '', 'FLAG_NOT_FOUND'));
  expect(await ask({ flagKey: 'off' })).toEqual(gone(0, 'off', 'FLAG_DISABLED'));
  expect(await ask({ flagID: 8 })).toEqual(gone(8, '', 'FLAG_DISABLED'));
  expect(await ask({})).toEqual(gone(0, '', 'FLAG_NOT_FOUND'));
});

test('an id wins over a key, and the entity type of the request over that of the flag', async () => {
  const { rest } = await serverWith(CHECKOUT, flagWith([], { id: 8, key: 'other' }));
  const both = { flagID: 7, flagKey: 'other', entityID: 'a', entityType: 'device' };
  expect((await rest('POST', '/evaluation', both)).json).toMatchObject({
    flagID: 7,
    flagKey: 'checkout',
    evalContext: { entityType: 'device' },
  });
  const unknown = { ...both, flagID: 99 };
  expect((await rest('POST', '/evaluation', unknown)).json).toMatchObject({
    flagID: 99,
    flagKey: 'other',
    reason: 'FLAG_NOT_FOUND',
  });
});

test('an entity without an id gets one by chance, another each time', async () => {
  const { rest } = await serverWith(flagWith([]));
  const ids = new Set<string>();
  for (const entityID of [undefined, null, '', ' \u2003']) {
    const answer = evaluation(await rest('POST', '/evaluation', { flagKey: 'f', entityID }));
    expect(answer).toMatchObject({ reason: 'MATCH', variantID: 10 });
    expect(answer.evalContext.entityID).toMatch(/^randomly_generated_-?\d+$/);
    ids.add(answer.evalContext.entityID);
  }
  expect(ids.size).toBeGreaterThan(1);
});

test('a change of a flag is what the next answer is decided by', async () => {
  const { rest } = await serverWith(flagWith([]));
  const variant = async () =>
    evaluation(await rest('POST', '/evaluation', { flagKey: 'f', entityID: 'a' })).variantKey;
  expect(await variant()).toBe('on');
  await rest('PUT', '/flags/1/segments/1', { rolloutPercent: 0 });
  expect(await variant()).toBeNull();
  await rest('PUT', '/flags/1/segments/1', { rolloutPercent: 100 });
  expect(await variant()).toBe('on');
});

describe('the context', () => {
  test('takes strings, numbers and booleans, drops null, and comes back as the texts that were compared', async () => {
    const { rest } = await serverWith(CHECKOUT);
    const entityContext = { age: 18.5, isMember: true, country: 'US', city: null };
    const answer = evaluation(
      await rest('POST', '/evaluation', { flagKey: 'checkout', entityID: 'a', entityContext }),
    );
    expect(answer).toMatchObject({ reason: 'MATCH' });
    expect(answer.evalContext.entityContext).toEqual({ age: '18.5', isMember: 'true', country: 'US' });
  });

  test.each(['__proto__', 'constructor', 'toString'])(
    'takes %s as a property like any other',
    async (name) => {
      const { rest } = await serverWith(
        flagWith([{ id: 1, property: name, operator: 'EQ', value: 'x' }], { key: name }),
      );
      // As text, since a literal would set the prototype.
      const sent = (context: string) =>
        `{"flagKey": "${name}", "entityID": "a", "entityContext": ${context}}`;
      expect((await rest('POST', '/evaluation', sent('{}'))).json).toMatchObject({ reason: 'NO_MATCH' });
      const answer = await rest('POST', '/evaluation', sent(`{"${name}": "x"}`));
      expect(answer.json).toMatchObject({ flagKey: name, reason: 'MATCH' });
      expect(JSON.stringify(evaluation(answer).evalContext.entityContext)).toBe(`{"${name}":"x"}`);
    },
  );
});

test.each([
  ['', 'The body is not JSON'],
  ['[]', 'The body must be an object, but is a list'],
  ['{"flagID": "7"}', 'flagID must be a whole number from 0, but is "7"'],
  ['{"flagID": -1}', 'flagID must be a whole number from 0, but is -1'],
  ['{"flagKey": 7}', 'flagKey must be a string, but is 7'],
  ['{"entityID": 7}', 'entityID must be a string, but is 7'],
  ['{"entityType": []}', 'entityType must be a string, but is a list'],
  ['{"entityContext": "age"}', 'entityContext must be an object, but is "age"'],
  [
    '{"entityContext": {"address": {"city": "Rome"}}}',
    'entityContext.address must be a string, a number, true or false, but is an object',
  ],
  ['{"enableDebug": "yes"}', 'enableDebug must be true or false, but is "yes"'],
])('the request %s is refused, and the answer says why', async (body, message) => {
  const { rest } = await openServer();
  const answer = await rest('POST', '/evaluation', body);
  expect(answer.status).toBe(400);
  expect((answer.json as { error: string }).error).toContain(message);
});

test('whatever is sent is answered or refused, and never fails', async () => {
  const { rest } = await serverWith(CHECKOUT);
  const field = fc.constantFrom(
    'flagKey',
    'flagID',
    'entityID',
    'entityContext',
    'enableDebug',
    'flagKeys',
    'entities',
  );
  const body = fc.oneof(
    fc.json(),
    fc.dictionary(field, fc.jsonValue()).map((fields) => JSON.stringify(fields)),
  );
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('/evaluation', '/evaluation/batch'), async (text, path) => {
      const { status } = await rest('POST', path, text);
      expect([200, 400]).toContain(status);
    }),
    { numRuns: 300 },
  );
});

test('a token that may read may evaluate, and without one nobody may', async () => {
  const { rest } = await openServer({ readTokens: ['reader'], writeTokens: ['writer'] });
  const statuses = async (headers: Record<string, string>) => [
    (await rest('POST', '/evaluation', { flagKey: 'f' }, headers)).status,
    (await rest('POST', '/evaluation/batch', { entities: [{}], flagKeys: ['f'] }, headers)).status,
  ];
  expect(await statuses({})).toEqual([401, 401]);
  expect(await statuses({ Authorization: 'Bearer guess' })).toEqual([401, 401]);
  expect(await statuses({ Authorization: 'Bearer reader' })).toEqual([200, 200]);
  expect(await statuses({ Authorization: 'Bearer writer' })).toEqual([200, 200]);
});

test('other methods are named as wrong', async () => {
  const { rest } = await openServer();
  const answer = await rest('GET', '/evaluation');
  expect(answer.status).toBe(405);
  expect(answer.headers.get('allow')).toBe('POST');
});
