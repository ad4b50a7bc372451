/**
 * The collected connection vectors (`test/vectors/sse.json`) against the client, over real sockets and a clock that the test moves.
 * Chance is always 0, so that a delay is the shortest one possible. Events are what the client's own reader makes of the bytes that
 * the transport has read, chunk by chunk.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { backoffDelayMs } from '../../src/core/connection/backoff.ts';
import { FlagError } from '../../src/core/errors.ts';
import type { ConnectionStatus } from '../../src/core/state/status.ts';
import { createFlagFeed } from '../../src/standalone/flag-feed.ts';
import { checkSSEClientOptions } from '../../src/standalone/sse-client-options.ts';
import type { FetchLike } from '../../src/transport/fetch-like.ts';
import { createSseTransport } from '../../src/transport/sse.ts';
import { createSseReader } from '../../src/transport/sse-reader.ts';
import { createFakeSystem, settle } from '../kit/fake-system.ts';
import { createFakeTransport } from '../kit/fake-transport.ts';
import { bodyOf, type Step, startVectorServer, type VectorServer } from './sse-vectors-server.ts';

interface ConnectionVector {
  readonly id: string;
  readonly profile: 'whatwg' | 'both' | 'ld' | 'own';
  readonly steps: readonly Step[];
  readonly expect: {
    readonly open?: number;
    readonly errors?: number;
    readonly events?: readonly {
      readonly type: string;
      readonly data: string;
      readonly lastEventId: string;
    }[];
    readonly state?: string;
    readonly requests?: number;
    readonly observeMs?: number;
    readonly reconnectDelayMs?: readonly [number, number];
    readonly stateAtErrors?: readonly string[];
    readonly states?: readonly string[];
    readonly order?: readonly string[];
    readonly url?: string;
    readonly action?: 'close() in onerror' | 'close() before headers arrive';
    readonly then?: string;
  };
}

interface DelayVector {
  readonly id: string;
  readonly base: number;
  readonly maxBackoff: number | null;
  readonly jitter: 0 | 0.5;
  readonly expect?: readonly (readonly [number, number])[];
  readonly expectLast?: readonly [number, number];
  readonly attempts?: number;
  readonly resetIntervalMs?: number;
  readonly timeline?: readonly (readonly [
    what: 'good' | 'fail' | 'retryField',
    atMs: number,
    delayMs?: number,
  ])[];
}

const PATH = join(import.meta.dirname, '../vectors/sse.json');
const VECTORS = JSON.parse(readFileSync(PATH, 'utf8')) as {
  readonly connection: readonly ConnectionVector[];
  readonly retryDelay: readonly DelayVector[];
};

const RETRIED =
  'tried again after a growing delay: a proxy, an overload or a deploy is not the end of the flags';
const PORTAL =
  'tried again after a growing delay: a captive portal answers like this until somebody has signed in';
const RESUMED_BY_STATE =
  'a stream is resumed from the state that is held (epoch.revision); another id names no state, and what was only seen is not sent';
const BROWSER_ONLY = 'a rule of browsers; the fetch of Node has';

/** Where the documented policy differs from an EventSource on purpose. Each is run, and must not pass. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'request/cookies-same-origin': `${BROWSER_ONLY} no cookies`,
  'cors/allow-origin-empty': `${BROWSER_ONLY} no origins`,
  'cors/none': `${BROWSER_ONLY} no origins`,
  'request/url-credentials-after-challenge':
    'a url with a name and a password is refused: a secret never stands in a URL',
  'status/404': 'the stream is given up, but snapshots are asked for now and then, and the stream with them',
  'status/410': 'the stream is given up, but snapshots are asked for now and then, and the stream with them',
  'status/401': 'tried at once with a token asked for anew, then after growing delays',
  ...Object.fromEntries(
    [201, 202, 205, 206, 210, 304, 400, 408, 425, 429, 502].map((status) => [`status/${status}`, RETRIED]),
  ),
  'redirect/301-missing-location': RETRIED,
  'content-type/bogus': PORTAL,
  'content-type/json': PORTAL,
  'content-type/plain-text': PORTAL,
  'content-type/prefix': PORTAL,
  'content-type/missing': PORTAL,
  'reconnect/last-event-id': RESUMED_BY_STATE,
  'reconnect/last-event-id-kept-by-later-events': RESUMED_BY_STATE,
  'reconnect/last-event-id-survives-silent-connection': RESUMED_BY_STATE,
  'reconnect/partial-discarded': RESUMED_BY_STATE,
  'delay/high-retry-count': 'the exponent stops at 2^30, long after any cap that a person would set',
  'delay/retry-field-resets-count': 'retry: is a floor under the growing delay, not a new beginning',
  'delay/flagent-go-sdk': 'the first delay is the base, not twice the base',
};

/** Everything of one run that a vector may speak of, in its words. */
interface Outcome {
  open: number;
  errors: number;
  state: string;
  requests: number;
  /** The path that a later connection asks for. */
  url: string;
  readonly events: { readonly type: string; readonly data: string; readonly lastEventId: string }[];
  readonly states: string[];
  readonly stateAtErrors: string[];
  readonly order: string[];
  readonly delaysMs: number[];
}

const STATES: Readonly<Record<ConnectionStatus['is'], string>> = {
  connecting: 'CONNECTING',
  waiting: 'CONNECTING',
  live: 'OPEN',
  stopped: 'CLOSED',
  polling: 'POLLING',
  paused: 'PAUSED',
};

const emptyOutcome = (): Outcome => ({
  open: 0,
  errors: 0,
  state: 'CONNECTING',
  requests: 0,
  url: '',
  events: [],
  states: [],
  stateAtErrors: [],
  order: [],
  delaysMs: [],
});

/** The one endpoint of the client stands for the address that a vector begins with. */
const asInVector = (path = ''): string => path.replace(/^\/api\/v1\/events\/stream$/, '/redirect');
/** More attempts than any vector makes: who gets here tries for ever. */
const ENOUGH_REQUESTS = 8;

interface ReadAlong {
  /** Of the newest response. */
  bytes: number;
  isOver: boolean;
}

function readingAlong(outcome: Outcome, along: ReadAlong): FetchLike {
  return async (url, request) => {
    along.bytes = 0;
    const response = await fetch(url, request);
    const events = createSseReader();
    const getReader = () => {
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      const read = async () => {
        const chunk = await reader.read();
        along.bytes += chunk.value?.length ?? 0;
        for (const item of chunk.done ? [] : events.read(chunk.value)) {
          if (item.kind !== 'event' || along.isOver) continue;
          const { event: type, data } = item.frame;
          outcome.events.push({ type, data, lastEventId: item.lastEventId });
          outcome.order.push(data);
        }
        return chunk;
      };
      return { read };
    };
    return { status: response.status, headers: response.headers, body: response.body && { getReader } };
  };
}

async function play(vector: ConnectionVector): Promise<Outcome> {
  const { steps, expect: wanted } = vector;
  const outcome = emptyOutcome();
  const server = await startVectorServer(steps);
  const address = vector.id.includes('url-credentials')
    ? server.url.replace('//', '//user:pass@')
    : (steps.length === 0 && wanted.url) || server.url;
  const token = steps
    .map(({ request }) => request?.headers?.authorization)
    .find((value) => value?.startsWith('Bearer'));
  try {
    const options = checkSSEClientOptions({
      url: address,
      ...(token?.startsWith('Bearer ') && { apiKey: token.slice('Bearer '.length) }),
    });
    await follow(vector, server, options, outcome);
  } catch (error) {
    if (!(error instanceof FlagError) || error.code !== 'invalid_option') throw error;
    return { ...outcome, errors: 1, state: 'CLOSED', url: address };
  } finally {
    server.close();
  }
  return outcome;
}

async function follow(
  { steps, expect: wanted }: ConnectionVector,
  server: VectorServer,
  options: ReturnType<typeof checkSSEClientOptions>,
  outcome: Outcome,
): Promise<void> {
  const system = createFakeSystem({ random: 0 });
  const along: ReadAlong = { bytes: 0, isOver: false };
  const transport = createSseTransport({ fetch: readingAlong(outcome, along), system });
  const feed = createFlagFeed({ ...options, policy: {}, transport, system });
  let before: ConnectionStatus['is'] = 'paused';
  const stopRecording = feed.onStatus(({ is }) => {
    const state = STATES[is];
    if (outcome.states.at(-1) !== state) outcome.states.push(state);
    if (is === 'live' && before !== 'live') {
      outcome.open += 1;
      outcome.order.unshift('open');
    }
    const isError = ['waiting', 'polling', 'stopped'].includes(is) && ['connecting', 'live'].includes(before);
    before = is;
    if (!isError) return;
    outcome.errors += 1;
    outcome.stateAtErrors.push(state);
    if (wanted.action === 'close() in onerror') feed.close();
  });

  /** The client has had everything that the server sends for now. */
  const isQuiet = (): boolean => {
    const { is } = feed.status;
    if (is !== 'connecting' && is !== 'live') return true;
    const step = server.current;
    return is === 'live' && step?.response.end === 'hold' && along.bytes === Buffer.byteLength(bodyOf(step));
  };
  const untilQuiet = async (): Promise<void> => {
    await vi.waitUntil(isQuiet, { timeout: 15_000, interval: 2 });
    await settle();
  };
  /** Lets time pass to the next attempt. False when there is none within the time that is observed. */
  const tryAgain = async (): Promise<boolean> => {
    await untilQuiet();
    const { status } = feed;
    if (status.is !== 'waiting' || server.requests.length >= ENOUGH_REQUESTS) return false;
    const delayMs = status.retryAtMs - system.nowMs();
    const isObserved =
      server.requests.length < answeredSteps ||
      (wanted.requests !== undefined && delayMs <= (wanted.observeMs ?? 1_000));
    if (!isObserved) return false;
    outcome.delaysMs.push(delayMs);
    await server.listen();
    await system.advance(delayMs);
    return true;
  };

  const answeredSteps = steps.filter(({ response }) => response.end !== 'refuse').length;
  feed.subscribe(undefined, () => {});
  await settle();
  if (wanted.action === 'close() before headers arrive') {
    await vi.waitUntil(() => server.requests.length > 0, { timeout: 15_000, interval: 1 });
    feed.close();
    await system.advance(wanted.observeMs ?? 1_000);
  }
  while (await tryAgain());
  stopRecording();
  along.isOver = true;
  outcome.state = STATES[feed.status.is];
  outcome.requests = server.requests.length;
  const seen = server.requests.map(({ url, method, headers }) => ({
    path: asInVector(url),
    method,
    headers,
  }));
  checkRequests(steps, seen, outcome);
  if (wanted.url !== undefined) {
    server.endHeld();
    await vi.waitUntil(() => feed.status.is === 'waiting', { timeout: 15_000, interval: 2 });
    await system.advance(1_000);
    await vi.waitUntil(() => server.requests.length > seen.length, { timeout: 15_000, interval: 2 });
    outcome.url = asInVector(server.requests[seen.length]?.url);
  }
  feed.close();
  if (wanted.then !== undefined) expect(wanted.then).toBe(`close() -> ${STATES[feed.status.is]}`);
}

function checkRequests(
  steps: readonly Step[],
  seen: readonly { readonly path: string; readonly method: string | undefined; readonly headers: object }[],
  { requests }: Outcome,
): void {
  const asked = steps.filter(({ response }) => response.end !== 'refuse');
  expect(requests).toBeGreaterThanOrEqual(asked.length);
  for (const [index, { request = {} }] of asked.entries()) {
    const { path, method, headers = {} } = request;
    if (path !== undefined) expect(seen[index]?.path).toBe(path);
    if (method !== undefined) expect(seen[index]?.method).toBe(method);
    const sent = (seen[index]?.headers ?? {}) as Record<string, string>;
    for (const [name, value] of Object.entries(headers)) expect(sent[name] ?? null, name).toBe(value);
  }
}

/** Throws where the client does something else than the vector wants. */
async function check(vector: ConnectionVector): Promise<void> {
  const outcome = await play(vector);
  const { reconnectDelayMs, observeMs: _, action: __, then: ___, ...wanted } = vector.expect;
  expect(outcome).toMatchObject(wanted);
  for (const delayMs of reconnectDelayMs === undefined ? [] : outcome.delaysMs) {
    expect(delayMs).toBeGreaterThanOrEqual(reconnectDelayMs?.[0] ?? 0);
    expect(delayMs).toBeLessThanOrEqual(reconnectDelayMs?.[1] ?? 0);
  }
  if (reconnectDelayMs !== undefined) expect(outcome.delaysMs).not.toEqual([]);
}

/** Just below 1, as chance can be. */
const MOST = 1 - 2 ** -40;

async function checkDelays(vector: DelayVector): Promise<void> {
  const { base: baseMs, maxBackoff, jitter, expect: wanted = [], timeline = [] } = vector;
  const capMs = maxBackoff ?? baseMs;
  // The vectors' jitter takes away up to a half, as ours does once it is no longer full.
  const range = (attempt: number) =>
    [jitter === 0 ? MOST : 0, MOST].map((random) =>
      backoffDelayMs({ attempt, baseMs, capMs, random, fullJitterAttempts: 0 }),
    );
  for (const [index, delays] of wanted.entries()) expect(range(index + 1)).toEqual(delays.map(Math.round));
  if (vector.expectLast !== undefined) expect(range(vector.attempts ?? 1)).toEqual(vector.expectLast);

  const system = createFakeSystem({ random: MOST });
  const transport = createFakeTransport();
  const resetAfterMs = vector.resetIntervalMs ?? Number.POSITIVE_INFINITY;
  const policy = {
    retryBaseMs: baseMs,
    retryCapMs: capMs,
    resetAfterMs,
    shortLivedMs: 0,
    silenceMs: Number.POSITIVE_INFINITY,
  };
  const feed = createFlagFeed({
    url: 'http://server',
    accessToken: () => undefined,
    policy,
    transport,
    system,
  });
  const startMs = system.nowMs();
  feed.subscribe(undefined, () => {});
  await settle();
  for (const [what, atMs, delayMs] of timeline) {
    await system.advance(Math.max(0, startMs + atMs - system.nowMs()));
    if (what === 'good') transport.latest().send();
    if (what === 'retryField') transport.latest().listener.retry(delayMs ?? 0);
    if (what !== 'fail') continue;
    transport.latest().end();
    await settle();
    const { status } = feed;
    expect(status.is === 'waiting' && status.retryAtMs - system.nowMs()).toBe(delayMs);
  }
  feed.close();
}

const rows: readonly (readonly [string, () => Promise<void>])[] = [
  ...VECTORS.connection
    .filter(({ profile }) => profile === 'whatwg' || profile === 'both')
    .map((vector) => [vector.id, () => check(vector)] as const),
  ...VECTORS.retryDelay.map((vector) => [vector.id, () => checkDelays(vector)] as const),
];

test.each(rows.filter(([id]) => !(id in DIFFERENCES)))('does as the vector %s wants', async (_, run) => {
  await run();
});

test.each(rows.filter(([id]) => id in DIFFERENCES))('differs on purpose: %s', async (_, run) => {
  await expect(run()).rejects.toThrow(expect.objectContaining({ name: 'AssertionError' }));
});

test('every difference is one of a vector that there is', () => {
  const ids = rows.map(([id]) => id);
  expect(Object.keys(DIFFERENCES).filter((id) => !ids.includes(id))).toEqual([]);
  expect(ids).toHaveLength(new Set(ids).size);
});
