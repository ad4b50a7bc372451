/** Which edit makes which change: one row per endpoint that edits. */
import { expect, test } from 'vitest';
import type { Change } from '../../src/core/model.ts';
import { openServer } from './server-kit.ts';

/** One flag with two variants, two segments and a tag; every id is 1 or 2, the flag's is 1. A second flag is deleted. */
const SETUP: readonly (readonly [method: string, path: string, body?: object])[] = [
  ['POST', '/flags', { key: 'a', description: 'A' }],
  ['POST', '/flags/1/variants', { key: 'on' }],
  ['POST', '/flags/1/variants', { key: 'off' }],
  ['POST', '/flags/1/segments', { description: 's', rolloutPercent: 50 }],
  ['POST', '/flags/1/segments', { description: 's', rolloutPercent: 50 }],
  ['POST', '/flags/1/segments/1/constraints', { property: 'p', operator: 'EQ', value: '"v"' }],
  ['PUT', '/flags/1/segments/1/distributions', { distributions: [{ variantID: 1, percent: 100 }] }],
  ['POST', '/flags/1/tags', { value: 'web' }],
  ['POST', '/flags', { key: 'gone', description: '' }],
  ['DELETE', '/flags/2'],
];

const two = (first: number, second: number) => ({
  distributions: [
    { variantID: 1, percent: first },
    { variantID: 2, variantKey: 'off', percent: second },
  ],
});
const rule = (operator: string) => ({ property: 'p', operator, value: '"v"' });

const ROWS: readonly (readonly [string, string, unknown, readonly string[]])[] = [
  ['POST', '/flags', { key: 'b', description: '' }, ['FLAG_CREATED b']],
  ['POST', '/flags', { key: 'b', description: '', template: 'simple_boolean_flag' }, ['FLAG_CREATED b']],
  ['PUT', '/flags/1', { description: 'new' }, ['FLAG_UPDATED a']],
  ['PUT', '/flags/1', { notes: 'new' }, ['FLAG_UPDATED a']],
  ['PUT', '/flags/1', { description: 'A', notes: null }, []],
  ['PUT', '/flags/1', { key: 'b' }, ['FLAG_DELETED a', 'FLAG_CREATED b']],
  ['PUT', '/flags/1', { key: 'gone' }, ['FLAG_DELETED a', 'FLAG_CREATED gone']],
  ['DELETE', '/flags/1', undefined, ['FLAG_DELETED a']],
  ['DELETE', '/flags/2', undefined, []],
  ['PUT', '/flags/2/restore', undefined, ['FLAG_CREATED gone']],
  ['PUT', '/flags/1/restore', undefined, []],
  ['PUT', '/flags/1/enabled', { enabled: true }, ['FLAG_ENABLED a']],
  ['PUT', '/flags/1/enabled', { enabled: false }, []],
  ['PUT', '/flags/batch/enabled', { ids: [1, 1], enabled: true }, ['FLAG_ENABLED a']],
  ['POST', '/flags/1/segments', { description: '', rolloutPercent: 1 }, ['SEGMENT_UPDATED a 3']],
  ['PUT', '/flags/1/segments/2', { description: 's', rolloutPercent: 1 }, ['SEGMENT_UPDATED a 2']],
  ['PUT', '/flags/1/segments/2', { description: 's', rolloutPercent: 50 }, []],
  ['DELETE', '/flags/1/segments/2', undefined, ['SEGMENT_UPDATED a 2']],
  ['PUT', '/flags/1/segments/reorder', { segmentIDs: [2, 1] }, ['SEGMENT_UPDATED a 2']],
  ['POST', '/flags/1/segments/2/constraints', rule('NEQ'), ['SEGMENT_UPDATED a 2']],
  ['PUT', '/flags/1/segments/1/constraints/1', rule('NEQ'), ['SEGMENT_UPDATED a 1']],
  ['PUT', '/flags/1/segments/1/constraints/1', rule('EQ'), []],
  ['DELETE', '/flags/1/segments/1/constraints/1', undefined, ['SEGMENT_UPDATED a 1']],
  ['PUT', '/flags/1/segments/1/distributions', two(30, 70), ['DISTRIBUTION_UPDATED a 1']],
  ['PUT', '/flags/1/segments/1/distributions', { distributions: [{ variantID: 1, percent: 100 }] }, []],
  ['POST', '/flags/1/variants', { key: 'third' }, ['FLAG_UPDATED a']],
  ['PUT', '/flags/1/variants/1', { key: 'yes', attachment: { color: 'blue' } }, ['FLAG_UPDATED a']],
  ['PUT', '/flags/1/variants/1', { key: 'on' }, []],
  ['DELETE', '/flags/1/variants/2', undefined, ['FLAG_UPDATED a']],
  ['POST', '/flags/1/tags', { value: 'app' }, ['FLAG_UPDATED a']],
  ['POST', '/flags/1/tags', { value: 'web' }, []],
  ['DELETE', '/flags/1/tags/1', undefined, ['FLAG_UPDATED a']],
];

test.each(ROWS)('%s %s %j makes %j', async (method, path, body, expected) => {
  const { rest, server } = await openServer();
  for (const [setUpMethod, setUpPath, setUpBody] of SETUP) {
    expect((await rest(setUpMethod, setUpPath, setUpBody)).status, setUpPath).toBe(200);
  }
  const changes: Change[] = [];
  const before = server.source.revision;
  server.source.watch((commit) => changes.push(...commit.map(({ change }) => change)));
  expect((await rest(method, path, body)).status).toBe(200);
  expect(
    changes.map(({ type, flagKey, segmentID }) => [type, flagKey, segmentID].filter(Boolean).join(' ')),
  ).toEqual(expected);
  expect(server.source.revision).toBe(before + expected.length);
});

test('flag ids are not given again, whatever was deleted', async () => {
  const { rest } = await openServer();
  for (const key of ['a', 'b']) await rest('POST', '/flags', { key, description: '' });
  await rest('DELETE', '/flags/2');
  expect((await rest('POST', '/flags', { key: 'b', description: '' })).json).toMatchObject({ id: 3 });
});
