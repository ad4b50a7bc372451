/** REST as Flagent's clients know it: shapes, lists, and errors that say what to do. */
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { decodeSnapshot } from '../../src/core/protocol/messages.ts';
import { openServer } from './server-kit.ts';

const SIMPLE = { key: 'a', description: 'A', template: 'simple_boolean_flag' };

test('a flag has every field, as null or [] when empty', async () => {
  const { rest } = await openServer({ nowMs: () => 1_000_000_000_000 });
  const created = await rest('POST', '/flags', SIMPLE);
  expect(created.json).toEqual({
    id: 1,
    key: 'a',
    description: 'A',
    createdBy: null,
    updatedBy: null,
    enabled: false,
    snapshotID: 1,
    notes: null,
    dataRecordsEnabled: false,
    entityType: null,
    environmentId: null,
    projectId: null,
    dependsOn: [],
    segments: [
      {
        id: 1,
        flagID: 1,
        description: '',
        rank: 999,
        rolloutPercent: 100,
        constraints: [],
        distributions: [{ id: 1, segmentID: 1, variantID: 1, variantKey: 'on', percent: 100 }],
      },
    ],
    variants: [{ id: 1, flagID: 1, key: 'on', attachment: null }],
    tags: [],
    updatedAt: '2001-09-09T01:46:40.000',
    archived: false,
  });
  expect((await rest('GET', '/flags/1')).json).toEqual(created.json);
  expect((await rest('GET', '/flags?preload=true')).json).toEqual([created.json]);
  expect((await rest('GET', '/flags')).json).toEqual([
    { ...(created.json as object), segments: [], variants: [] },
  ]);
});

test('a flag without a key gets one', async () => {
  const { rest } = await openServer();
  expect((await rest('POST', '/flags', { description: '' })).json).toMatchObject({
    key: expect.stringMatching(/^k[0-9a-f]{16}$/),
  });
});

test('parts of a flag can be read one by one, and carry the ids of what they are in', async () => {
  const { rest } = await openServer();
  await rest('POST', '/flags', SIMPLE);
  await rest('POST', '/flags/1/tags', { value: 'web app' });
  const constraint = { property: 'country', operator: 'EQ', value: '"US"' };
  expect((await rest('POST', '/flags/1/segments/1/constraints', constraint)).json).toEqual({
    id: 1,
    segmentID: 1,
    ...constraint,
  });
  const { json } = await rest('GET', '/flags/1');
  const { segments, variants, tags } = json as { segments: object[]; variants: object[]; tags: object[] };
  expect((await rest('GET', '/flags/1/segments')).json).toEqual(segments);
  expect((await rest('GET', '/flags/1/segments/1')).json).toEqual(segments[0]);
  expect((await rest('GET', '/flags/1/segments/1/constraints')).json).toHaveLength(1);
  expect((await rest('GET', '/flags/1/segments/1/distributions')).json).toHaveLength(1);
  expect((await rest('GET', '/flags/1/variants')).json).toEqual(variants);
  expect((await rest('GET', '/flags/1/tags')).json).toEqual(tags);
  expect((await rest('GET', '/tags')).json).toEqual([{ id: 1, value: 'web app' }]);
});

describe('the list of flags', () => {
  const ids = (json: unknown) => (json as { id: number }[]).map(({ id }) => id);

  test.each([
    ['', [4, 3, 2, 1], 4],
    ['?limit=2&offset=1', [3, 2], 4],
    ['?enabled=true', [2], 1],
    ['?enabled=false', [4, 3, 1], 3],
    ['?key=flag-3', [3], 1],
    ['?description=Number%203', [3], 1],
    ['?descriptionLike=nUMBER', [4, 3, 2, 1], 4],
    ['?tags=web,app', [3, 1], 2],
    ['?deleted=true', [5, 4, 3, 2, 1], 5],
    ['?includeArchived=true&limit=1', [5], 5],
  ])('%s', async (query, expected, total) => {
    const { rest } = await openServer();
    for (const n of [1, 2, 3, 4, 5])
      await rest('POST', '/flags', { key: `flag-${n}`, description: `Number ${n}` });
    await rest('PUT', '/flags/2/enabled', { enabled: true });
    await rest('POST', '/flags/1/tags', { value: 'web' });
    await rest('POST', '/flags/3/tags', { value: 'app' });
    await rest('DELETE', '/flags/5');
    const { json, headers } = await rest('GET', `/flags${query}`);
    expect([ids(json), headers.get('x-total-count')]).toEqual([expected, String(total)]);
  });
});

test('a renamed variant takes its key into the distributions, and a deleted one its empty shares', async () => {
  const { rest } = await openServer();
  await rest('POST', '/flags', SIMPLE);
  await rest('POST', '/flags/1/variants', { key: 'off' });
  const shares = [
    { variantID: 2, percent: 0 },
    { variantID: 1, percent: 100 },
  ];
  await rest('PUT', '/flags/1/segments/1/distributions', { distributions: shares });
  await rest('PUT', '/flags/1/variants/1', { key: 'yes' });
  expect((await rest('DELETE', '/flags/1/variants/1')).status).toBe(409);
  expect((await rest('DELETE', '/flags/1/variants/2')).status).toBe(200);
  expect((await rest('GET', '/flags/1/segments/1/distributions')).json).toEqual([
    { id: 1, segmentID: 1, variantID: 1, variantKey: 'yes', percent: 100 },
  ]);
});

test('parts stand in the order on which evaluation depends: segments by rank, shares by variant, tags by id', async () => {
  const { rest } = await openServer();
  await rest('POST', '/flags', SIMPLE);
  await rest('POST', '/flags/1/variants', { key: 'off' });
  for (const description of ['second', 'third']) {
    await rest('POST', '/flags/1/segments', { description, rolloutPercent: 1 });
  }
  await rest('PUT', '/flags/1/segments/reorder', { segmentIDs: [3, 1, 2] });
  const shares = [
    { variantID: 2, percent: 40 },
    { variantID: 1, percent: 60 },
  ];
  await rest('PUT', '/flags/1/segments/2/distributions', { distributions: shares });
  await rest('POST', '/flags', { key: 'b', description: '' });
  await rest('POST', '/flags/2/tags', { value: 'web' });
  for (const value of ['app', 'web']) await rest('POST', '/flags/1/tags', { value });
  expect((await rest('GET', '/snapshot?flagKey=a')).json).toMatchObject({
    flags: [
      {
        segments: [
          { id: 3, rank: 0 },
          { id: 1, rank: 1 },
          { id: 2, rank: 2, distributions: [{ variantID: 1 }, { variantID: 2 }] },
        ],
        tags: [{ value: 'web' }, { value: 'app' }],
      },
    ],
  });
});

test('the snapshot can be decoded by clients, and is not sent to one that has it', async () => {
  const { rest, server } = await openServer();
  await rest('POST', '/flags', SIMPLE);
  const { json, headers } = await rest('GET', '/snapshot');
  const { epoch } = server.source;
  expect(decodeSnapshot(JSON.stringify(json))).toMatchObject({ ok: true, value: { epoch, revision: 1 } });
  const etag = headers.get('etag') ?? '';
  expect([etag, headers.get('cache-control')]).toEqual([`"${epoch}.1"`, 'no-cache']);
  for (const held of [etag, `W/${etag}`, `"x", ${etag}`]) {
    const again = await rest('GET', '/snapshot', undefined, { 'If-None-Match': held });
    expect([again.status, again.headers.get('etag'), again.json]).toEqual([304, etag, undefined]);
  }
  await rest('PUT', '/flags/1/enabled', { enabled: true });
  expect((await rest('GET', '/snapshot', undefined, { 'If-None-Match': etag })).status).toBe(200);
  expect((await rest('GET', '/snapshot?flagKey=other')).json).toEqual({ epoch, revision: 2, flags: [] });
});

test.each([
  ['POST', '/flags', '{"key": ', 400, 'The body is not JSON'],
  ['POST', '/flags', '', 400, 'The body is not JSON'],
  ['POST', '/flags', '[]', 400, 'The body must be an object'],
  ['POST', '/flags', {}, 400, 'description must be a string, but is missing.'],
  ['POST', '/flags', { description: 5 }, 400, 'description must be a string, but is 5.'],
  ['POST', '/flags', { description: '', key: 'a b' }, 400, 'key must be 1 to 63 letters'],
  ['POST', '/flags', { description: '', key: 'x'.repeat(64) }, 400, 'key must be 1 to 63 letters'],
  ['POST', '/flags', { description: '', template: 'other' }, 400, 'template must be simple_boolean_flag'],
  ['POST', '/flags', { description: '', key: 'a' }, 409, 'Flag 1 already has the key "a"'],
  ['POST', '/flags', { description: 'x'.repeat(1_048_576) }, 413, 'more than 1048576 bytes'],
  ['GET', '/flags/99', undefined, 404, 'Flag 99 does not exist'],
  ['GET', '/flags/one', undefined, 400, 'flagID in the path must be a whole number'],
  ['GET', '/flags?limit=-1', undefined, 400, 'limit must be a whole number'],
  ['GET', '/nowhere', undefined, 404, 'does not exist'],
  ['PATCH', '/flags/1', {}, 405, 'Use GET, HEAD, PUT, DELETE.'],
  ['PUT', '/flags/99', {}, 404, 'Flag 99 does not exist'],
  ['DELETE', '/flags/99', undefined, 404, 'Flag 99 does not exist'],
  ['PUT', '/flags/1', { dependsOn: ['a'] }, 400, "without the flag's own key"],
  ['PUT', '/flags/2', { description: 'x' }, 409, 'Restore it first'],
  ['PUT', '/flags/1/enabled', {}, 400, 'enabled must be true or false, but is missing.'],
  ['PUT', '/flags/batch/enabled', { ids: [], enabled: true }, 400, 'at least one flag id'],
  ['POST', '/flags/1/segments', { description: '' }, 400, 'rolloutPercent must be a whole percent'],
  ['POST', '/flags/1/segments', { rolloutPercent: 100.5 }, 400, 'rolloutPercent must be a whole percent'],
  ['GET', '/flags/1/segments/9', undefined, 404, 'Segment 9 does not exist. Known here: 1.'],
  ['PUT', '/flags/1/segments/reorder', { segmentIDs: [1, 1] }, 400, 'each once'],
  [
    'POST',
    '/flags/1/segments/1/constraints',
    { property: 'p', operator: 'LIKE', value: 'v' },
    400,
    'operator must be one of EQ NEQ',
  ],
  [
    'POST',
    '/flags/1/segments/1/constraints',
    { property: '', operator: 'EQ', value: 'v' },
    400,
    'property must be a text',
  ],
  [
    'PUT',
    '/flags/1/segments/1/constraints/9',
    { property: 'p', operator: 'EQ', value: 'v' },
    404,
    'Constraint 9',
  ],
  [
    'PUT',
    '/flags/1/segments/1/distributions',
    { distributions: [{ variantID: 1, percent: 99 }] },
    400,
    'add up to 100, but is 99',
  ],
  [
    'PUT',
    '/flags/1/segments/1/distributions',
    { distributions: [{ variantID: 9, percent: 100 }] },
    400,
    'distributions[0].variantID must be the id of a variant',
  ],
  ['POST', '/flags/1/variants', { key: 'on' }, 409, 'already has the key "on"'],
  ['POST', '/flags/1/variants', { key: 'b', attachment: { n: 1 } }, 400, 'attachment.n must be a string'],
  ['DELETE', '/flags/1/variants/1', undefined, 409, 'Give it 0 percent there first'],
  ['POST', '/flags/1/tags', { value: ' ' }, 400, 'value must be 1 to 63'],
  ['DELETE', '/flags/1/tags/9', undefined, 404, 'Tag 9 does not exist'],
] as const)('%s %s %.40j → %i', async (method, path, body, status, words) => {
  const { rest, server } = await openServer();
  await rest('POST', '/flags', SIMPLE);
  await rest('POST', '/flags', { description: '' });
  await rest('DELETE', '/flags/2');
  const before = server.source.revision;
  const answer = await rest(method, path, body);
  expect([answer.status, answer.json]).toEqual([status, { error: expect.stringContaining(words) }]);
  expect(server.source.revision).toBe(before);
});

test('a body without a declared length is limited too', async () => {
  const { url } = await openServer();
  const chunk = new Uint8Array(200_000).fill(32);
  const body = new ReadableStream({
    start(controller) {
      for (let n = 0; n < 6; n += 1) controller.enqueue(chunk);
      controller.close();
    },
  });
  const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
  expect((await fetch(`${url}/api/v1/flags`, init)).status).toBe(413);
});

test('prototype names are keys and attachment names like any other', async () => {
  const { rest } = await openServer();
  for (const key of ['__proto__', 'constructor']) await rest('POST', '/flags', { key, description: '' });
  await rest('POST', '/flags/1/variants', '{"key":"__proto__","attachment":{"__proto__":"x"}}');
  expect((await rest('GET', '/flags?key=__proto__&preload=true')).json).toHaveLength(1);
  const { json } = await rest('GET', '/snapshot?flagKey=__proto__');
  expect(JSON.stringify(json)).toContain('"attachment":{"__proto__":"x"}');
  expect((await rest('GET', '/flags?key=toString')).json).toEqual([]);
});

test('a request that is hardly HTTP is answered with an error, and the server goes on', async () => {
  const { url, rest } = await openServer();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write('GET //[/api HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n');
  await closed;
  const answer = Buffer.concat(chunks).toString();
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('{"error":"');
  expect((await rest('GET', '/health')).json).toMatchObject({ status: 'OK' });
});

test('a failure of our own is reported and not told', async () => {
  const reports: unknown[] = [];
  const { rest, server } = await openServer({ report: (error) => reports.push(error) });
  Object.defineProperty(server.source.catalogue, 'records', {
    get() {
      throw new Error('secret detail');
    },
  });
  const { status, json } = await rest('GET', '/flags');
  expect([status, json]).toEqual([500, { error: 'The server failed. Try again; its log says more.' }]);
  expect(reports).toMatchObject([{ message: 'secret detail' }]);
});

test('health and info can be asked by anybody', async () => {
  const { rest, server } = await openServer({ readTokens: ['r'] });
  const { epoch } = server.source;
  expect((await rest('GET', '/health')).json).toEqual({
    status: 'OK',
    sockets: 0,
    epoch,
    revision: 0,
    streams: 0,
    streamsOpened: 0,
    resumed: 0,
  });
  expect((await rest('GET', '/info')).json).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
  });
});
