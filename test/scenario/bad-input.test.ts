/** A server that sends rubbish: a hub over the real transport and a real socket says what is wrong and loses nothing. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { encodeMessage } from '../../src/core/protocol/messages.ts';
import { encodeSseEvent } from '../../src/core/protocol/sse-frame.ts';
import { createHub, type Hub } from '../../src/hub/hub.ts';
import { createMirror } from '../../src/page/mirror.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { createSystem } from '../../src/system/system.ts';
import { createTrace } from '../../src/system/trace.ts';
import { createSseTransport } from '../../src/transport/sse.ts';
import { buildFlag } from '../kit/flags.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

const one = buildFlag('one', { id: 1 });
const two = buildFlag('two', { id: 2 });
const snapshotOf = (revision: number, flags: readonly unknown[]): string =>
  JSON.stringify({ epoch: 'e1', revision, flags });
const goodStart = encodeSseEvent(
  encodeMessage({ kind: 'snapshot', snapshot: { epoch: 'e1', revision: 1, flags: [one] }, timestampMs: 0 }),
);
const goodChange = encodeSseEvent(
  encodeMessage({
    kind: 'change',
    change: {
      type: 'FLAG_CREATED',
      epoch: 'e1',
      revision: 2,
      timestampMs: 0,
      flagID: 2,
      flagKey: 'two',
      flag: two,
    },
  }),
);

/** Serves one stream text, and a snapshot for whoever asks. */
async function startRubbishServer(streamText: string, snapshotBody: string) {
  const seen: string[] = [];
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    if (request.url?.startsWith('/api/v1/snapshot')) {
      response.setHeader('Content-Type', 'application/json').end(snapshotBody);
      return;
    }
    response.setHeader('Content-Type', 'text/event-stream');
    response.write(streamText);
    streams.add(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function startHub(url: string): { readonly hub: Hub; readonly mirror: ReturnType<typeof createMirror> } {
  const system = createSystem();
  const { trace, entries } = createTrace(system.nowMs);
  const hub = createHub({
    bootId: 'boot',
    scope: `test@${url}`,
    url,
    policy: {},
    transport: createSseTransport({ fetch, system, maxEventLength: 100_000 }),
    store: createMemoryStore(),
    system,
    trace,
    traceEntries: entries,
    claimStream: ({ onHeld }) => {
      onHeld();
      return { release: () => {} };
    },
    peers: { post: () => {}, onMessage: () => {}, close: () => {} },
    whenHubIsGone: () => () => {},
    onIdle: () => {},
  });
  cleanUps.push(() => hub.close());
  const mirror = createMirror();
  hub.attach({
    tabId: 'tab',
    filter: undefined,
    held: undefined,
    sink: {
      deliver: async ({ update }) => {
        if (update !== undefined) mirror.apply(update);
      },
      accessToken: async () => undefined,
    },
  });
  return { hub, mirror };
}

const malformedMessages = (hub: Hub): unknown[] =>
  hub
    .debug()
    .trace.filter(({ what }) => what === 'malformed')
    .map(({ facts }) => facts?.message);

test.each([
  ['malformed JSON', 'id: e1.2\nevent: flag_created\ndata: {"type":\n\n', /^flag_created is not JSON/],
  [
    'a flag without a key',
    `id: e1.2\nevent: flag_created\ndata: ${JSON.stringify({ type: 'FLAG_CREATED', revision: 2, flagKey: 'two', flagID: 2, data: { id: 2 } })}\n\n`,
    /^flag_created\.data\.key must be a string, but is missing/,
  ],
  ['no event id', 'event: flag_deleted\ndata: {}\n\n', /^flag_deleted\.id must be an event id/],
  [
    'an event over the limit',
    `id: e1.2\nevent: flag_created\ndata: ${'x'.repeat(200_000)}\n\n`,
    /^An event of the stream has more than 100000 characters/,
  ],
  [
    'a snapshot with a duplicate key',
    `id: e1.9\nevent: snapshot\ndata: ${snapshotOf(9, [one, { ...two, key: 'one' }])}\n\n`,
    /^snapshot\.flags\[1\]\.key must be different in every flag, but is "one"/,
  ],
])(
  '%s: the error says where, what was held stays, and a snapshot brings what may have been lost',
  async (_name, rubbish, message) => {
    const { url, seen } = await startRubbishServer(goodStart + rubbish, snapshotOf(2, [one, two]));
    const { hub, mirror } = startHub(url);
    await expect.poll(() => mirror.held?.revision, { timeout: 10_000 }).toBe(2);
    expect([...mirror.flags.keys()]).toEqual(['one', 'two']);
    expect(malformedMessages(hub)[0]).toMatch(message);
    expect(seen).toContain('/api/v1/snapshot');
  },
);

test('an unknown event type is counted and skipped, and what follows is applied', async () => {
  const { url, seen } = await startRubbishServer(
    `${goodStart}id: e1.1\nevent: weather_report\ndata: {"sunny":true}\n\n${goodChange}`,
    '',
  );
  const { hub, mirror } = startHub(url);
  await expect.poll(() => mirror.held?.revision, { timeout: 10_000 }).toBe(2);
  expect(hub.debug().counts).toMatchObject({ unknown: 1, malformed: 0 });
  expect(seen).toHaveLength(1);
});
