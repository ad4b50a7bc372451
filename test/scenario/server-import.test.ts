/** Import and export: ids stay, the same file twice changes nothing, and a wrong file changes nothing either. */
import { expect, test } from 'vitest';
import { decodeSnapshot } from '../../src/core/protocol/messages.ts';
import { buildFlags } from '../../src/testing/index.ts';
import { openServer, openStream, wordsOf } from './server-kit.ts';

/** As Flagent's evaluation-cache export spells a flag. */
const EXPORTED = {
  id: 12,
  key: 'checkout',
  description: 'New checkout',
  createdBy: 'someone',
  updatedBy: null,
  enabled: true,
  snapshotId: 7,
  notes: 'for editors',
  dataRecordsEnabled: false,
  entityType: 'user',
  environmentId: 3,
  segments: [
    {
      id: 31,
      flagId: 12,
      description: 'Everybody in the US',
      rank: 0,
      rolloutPercent: 50,
      constraints: [{ id: 41, segmentId: 31, property: 'country', operator: 'EQ', value: '"US"' }],
      distributions: [{ id: 51, segmentId: 31, variantId: 61, variantKey: 'on', percent: 100 }],
    },
  ],
  variants: [{ id: 61, flagId: 12, key: 'on', attachment: { color: 'blue' } }],
  tags: [{ id: 71, value: 'web' }],
  updatedAt: '2026-03-05T10:00:00.123',
};
const bare = (id: number, key: string) => ({ id, key, enabled: true });

test('keeps every id, in the spelling of the export as in that of REST', async () => {
  const [one, other] = [await openServer(), await openServer()];
  expect((await one.rest('POST', '/import', { flags: [EXPORTED] })).json).toEqual({
    added: 1,
    changed: 0,
    unchanged: 0,
  });
  const { json: listed } = await one.rest('GET', '/flags?preload=true');
  expect(listed).toMatchObject([
    {
      id: 12,
      createdBy: 'someone',
      notes: 'for editors',
      environmentId: 3,
      segments: [
        {
          id: 31,
          flagID: 12,
          constraints: [{ id: 41, segmentID: 31 }],
          distributions: [{ id: 51, segmentID: 31, variantID: 61 }],
        },
      ],
      variants: [{ id: 61, flagID: 12 }],
      tags: [{ id: 71 }],
    },
  ]);
  await other.rest('POST', '/import', { flags: listed });
  const flags = async ({ rest }: typeof one) =>
    ((await rest('GET', '/snapshot')).json as { flags: object[] }).flags;
  const timeless = (all: object[]) => all.map((flag) => ({ ...flag, updatedAt: null }));
  expect(timeless(await flags(other))).toEqual(timeless(await flags(one)));
});

test('what was exported can be imported again without any change', async () => {
  const { rest, server } = await openServer();
  await rest('POST', '/import', {
    flags: [EXPORTED, { ...bare(2, 'off'), enabled: false, dependsOn: ['checkout'] }],
  });
  const { json } = await rest('GET', '/export/eval_cache/json');
  const { flags } = json as { flags: object[] };
  expect(flags).toEqual([
    expect.objectContaining({ id: 2, enabled: false, dependsOn: ['checkout'] }),
    { ...EXPORTED, snapshotId: 1, dependsOn: [], updatedAt: expect.any(String) },
  ]);
  const before = server.source.revision;
  for (const body of [json, (await rest('GET', '/snapshot')).json]) {
    expect((await rest('POST', '/import', body)).json).toEqual({ added: 0, changed: 0, unchanged: 2 });
  }
  expect(server.source.revision).toBe(before);
});

test('new ids come after the imported ones', async () => {
  const { rest } = await openServer();
  await rest('POST', '/import', { flags: [EXPORTED] });
  const created = { key: 'next', description: '', template: 'simple_boolean_flag' };
  expect((await rest('POST', '/flags', created)).json).toMatchObject({
    id: 13,
    segments: [{ id: 32, distributions: [{ id: 52 }] }],
    variants: [{ id: 62 }],
  });
  expect((await rest('POST', '/flags/13/tags', { value: 'new' })).json).toEqual({ id: 72, value: 'new' });
  expect((await rest('POST', '/flags/13/tags', { value: 'web' })).json).toEqual({ id: 71, value: 'web' });
});

test('parts without ids get some, and the same ones the next time', async () => {
  const { rest } = await openServer();
  const flag = {
    ...bare(1, 'a'),
    tags: ['web', 'app', 'web'],
    variants: [{ id: 1, key: 'on' }],
    segments: [
      {
        id: 1,
        rolloutPercent: 100,
        constraints: [{ property: 'p', operator: 'EQ', value: '1' }],
        distributions: [{ variantID: 1, percent: 100 }],
      },
    ],
  };
  expect((await rest('POST', '/import', { flags: [flag] })).json).toMatchObject({ added: 1 });
  expect((await rest('POST', '/import', { flags: [flag] })).json).toMatchObject({ unchanged: 1 });
  expect((await rest('GET', '/flags/1')).json).toMatchObject({
    tags: [
      { id: 1, value: 'web' },
      { id: 2, value: 'app' },
    ],
    segments: [{ constraints: [{ id: 1 }], distributions: [{ id: 1, variantKey: 'on' }] }],
  });
});

test('flags that are not in the file are left alone, and what changed is streamed as one batch', async () => {
  const server = await openServer();
  await server.rest('POST', '/import', { flags: [bare(1, 'a'), bare(2, 'b'), bare(3, 'c')] });
  await server.rest('PUT', '/flags/2', { notes: 'kept' });
  await server.rest('DELETE', '/flags/3');
  const stream = await openStream(server.url);
  const flags = [{ ...bare(2, 'b'), description: 'new' }, bare(3, 'c'), bare(4, 'd')];
  expect((await server.rest('POST', '/import', { flags })).json).toEqual({
    added: 1,
    changed: 2,
    unchanged: 0,
  });
  expect(wordsOf(await stream.take(2))).toEqual([
    'snapshot 5: a b',
    'batch: 6 FLAG_UPDATED b, 7 FLAG_CREATED c, 8 FLAG_CREATED d',
  ]);
  expect((await server.rest('GET', '/flags/2')).json).toMatchObject({ notes: 'kept', description: 'new' });
});

const variant = { id: 1, key: 'on' };
const segment = { id: 1, rolloutPercent: 100 };

test.each([
  [{ flags: 5 }, 400, 'flags must be a list of flags'],
  [{}, 400, 'flags must be a list of flags'],
  [{ flags: [{ ...bare(9, 'x'), id: 0 }] }, 400, 'flags[0].id must be a whole number from 1'],
  [{ flags: [bare(9, 'x y')] }, 400, 'flags[0].key must be 1 to 63'],
  [{ flags: [bare(9, 'x'), bare(10, 'x')] }, 400, 'flags[1].key must be different in every flag'],
  [{ flags: [bare(9, 'x'), bare(9, 'y')] }, 400, 'flags[1].id must be different in every flag'],
  [{ flags: [bare(1, 'other')] }, 409, 'Flag 1 is "a" here, but "other" in the import'],
  [{ flags: [bare(9, 'a')] }, 409, 'Flag "a" has the id 1 here, but 9 in the import'],
  [
    { flags: [{ ...bare(9, 'x'), variants: [variant, variant] }] },
    400,
    'flags[0].variants[1].id must be different',
  ],
  [
    { flags: [{ ...bare(9, 'x'), segments: [{ ...segment, rolloutPercent: 101 }] }] },
    400,
    'flags[0].segments[0].rolloutPercent must be a whole percent',
  ],
  [
    {
      flags: [
        { ...bare(9, 'x'), segments: [{ ...segment, distributions: [{ variantID: 1, percent: 100 }] }] },
      ],
    },
    400,
    'flags[0].segments[0].distributions[0].variantID must be the id of a variant',
  ],
  [
    {
      flags: [
        {
          ...bare(9, 'x'),
          variants: [variant],
          segments: [{ ...segment, distributions: [{ variantID: 1, percent: 50 }] }],
        },
      ],
    },
    400,
    'flags[0].segments[0].distributions must be a list whose percents add up to 100, but is 50',
  ],
  [
    {
      flags: [
        {
          ...bare(9, 'x'),
          segments: [{ ...segment, constraints: [{ property: 'p', operator: '=', value: 'v' }] }],
        },
      ],
    },
    400,
    'flags[0].segments[0].constraints[0].operator must be one of',
  ],
])('a wrong file changes nothing: %j', async (body, status, words) => {
  const { rest, server } = await openServer();
  await rest('POST', '/import', { flags: [bare(1, 'a')] });
  const answer = await rest('POST', '/import', body);
  expect([answer.status, answer.json]).toEqual([status, { error: expect.stringContaining(words) }]);
  expect([server.source.revision, server.source.catalogue.records.size]).toEqual([1, 1]);
});

test('10 000 flags are imported, streamed to who is there, and sent as one snapshot to who comes', async () => {
  const server = await openServer();
  const there = await openStream(server.url);
  const flags = buildFlags(10_000);
  expect((await server.rest('POST', '/import', { flags })).json).toMatchObject({ added: 10_000 });
  const batches = (await there.take(21)).slice(1);
  expect(batches.map((message) => (message.kind === 'batch' ? message.changes.length : 0))).toEqual(
    Array.from({ length: 20 }, () => 500),
  );
  const [snapshot] = await (await openStream(server.url)).take(1);
  expect(snapshot?.kind === 'snapshot' && snapshot.snapshot.flags.length).toBe(10_000);
  const decoded = decodeSnapshot(JSON.stringify((await server.rest('GET', '/snapshot')).json));
  expect(decoded.ok && decoded.value.revision).toBe(10_000);
  expect((await server.rest('POST', '/import', { flags })).json).toMatchObject({ unchanged: 10_000 });
});
