/** `fetchSnapshot`: what it asks, what it takes, and what it refuses. */
import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { encodeSnapshot } from '../../src/core/protocol/messages.ts';
import { type Asked, asRequest, flag, serve, transport } from './transport-kit.ts';

const SNAPSHOT = { epoch: 'e', revision: 3, flags: [flag('a')] };

async function snapshotFrom(answer: RequestListener, asked: Partial<Asked> = {}) {
  return transport.fetchSnapshot(asRequest({ url: await serve(answer), ...asked }));
}

test('fetches a snapshot', async () => {
  let address: string | undefined;
  const answer = await snapshotFrom(
    (request, response) => {
      address = request.url;
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      response.end(encodeSnapshot(SNAPSHOT));
    },
    { filter: { tags: ['web'] } },
  );
  expect(answer).toEqual({ ended: 'snapshot', snapshot: SNAPSHOT });
  expect(address).toBe('/api/v1/snapshot?tag=web');
});

test('asks for a snapshot only if there is a newer one', async () => {
  let asked: string | undefined;
  const answer = await snapshotFrom(
    (request, response) => {
      asked = request.headers['if-none-match'];
      response.writeHead(304).end();
    },
    { after: { epoch: 'e', revision: 3 } },
  );
  expect(answer).toEqual({ ended: 'not-modified' });
  expect(asked).toBe('"e.3"');
});

test('takes no confirmation that it did not ask for', async () => {
  const answer = await snapshotFrom((_, response) => response.writeHead(304).end());
  expect(answer).toMatchObject({ ended: 'refused', status: 304 });
});

test.each([
  ['not JSON', '{', 'invalid_data', 'snapshot'],
  ['not a snapshot', '{"epoch":"e","revision":1,"flags":[{}]}', 'invalid_data', 'snapshot.flags[0].id'],
  ['over the limit', JSON.stringify('x'.repeat(10_000)), 'too_large', 'snapshot'],
])('calls a snapshot malformed when it is %s', async (_, body, code, path) => {
  const answer = await snapshotFrom((__, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  expect(answer).toMatchObject({ ended: 'malformed', error: { code, path } });
});

test('does not wait for the rest of a snapshot that is too large already', async () => {
  const answer = await snapshotFrom((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('x'.repeat(20_000));
  });
  expect(answer).toMatchObject({ ended: 'malformed', error: { code: 'too_large' } });
});

test('refuses a snapshot that is a page of a captive portal', async () => {
  const answer = await snapshotFrom((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p>Sign in');
  });
  expect(answer).toEqual({ ended: 'wrong-content', contentType: 'text/html' });
});

test('passes a refused snapshot on', async () => {
  const answer = await snapshotFrom((_, response) => response.writeHead(429, { 'retry-after': '2' }).end());
  expect(answer).toEqual({ ended: 'refused', status: 429, retryAfterMs: 2000 });
});

test('ends as failed when a snapshot breaks off', async () => {
  const answer = await snapshotFrom((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
    response.write('{"epoch":', () => response.socket?.end());
  });
  expect(answer).toMatchObject({ ended: 'failed', error: { code: 'unreachable' } });
});
