/** The reconnect loop of `watch` against a scripted transport and a clock that never waits. */
import { expect, test } from 'vitest';
import { followStream } from '../../src/cli/follow-stream.ts';
import { DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import { FlagError } from '../../src/core/errors.ts';
import type { Change } from '../../src/core/model.ts';
import { encodeEventId } from '../../src/core/protocol/event-id.ts';
import type { Message } from '../../src/core/protocol/messages.ts';
import type { ServerRequest, StreamEnd, StreamListener } from '../../src/transport/contract.ts';

type Script = (
  listener: StreamListener,
  request: ServerRequest,
  pass: (ms: number) => void,
) => StreamEnd | Promise<StreamEnd>;

const POLICY = { ...DEFAULT_POLICY, connectTimeoutMs: 1_000_001, silenceMs: 1_000_002 };
const CLOSED: StreamEnd = { ended: 'closed' };

const snapshot = (revision: number): Message => ({
  kind: 'snapshot',
  snapshot: { epoch: 'e', revision, flags: [] },
  timestampMs: 0,
});

function change(revision: number): Message {
  const gone: Change = {
    type: 'FLAG_DELETED',
    epoch: 'e',
    revision,
    timestampMs: 0,
    flagID: 1,
    flagKey: 'a',
    flag: null,
  };
  return { kind: 'change', change: gone };
}

/** Plays the scripts one after the other, then stops. Returns everything that happened, in order. */
async function follow(scripts: readonly Script[], options: { fires?: number; isFiltered?: true } = {}) {
  const trace: string[] = [];
  const stop = new AbortController();
  const left = [...scripts];
  let nowMs = 0;
  const end = await followStream({
    transport: {
      async stream(request, listener) {
        const script = left.shift();
        if (script === undefined) {
          stop.abort();
          return { ended: 'aborted' };
        }
        trace.push(`asks after ${request.after ? encodeEventId(request.after) : 'nothing'}`);
        return script(listener, request, (ms) => {
          nowMs += ms;
        });
      },
    },
    system: {
      nowMs: () => nowMs,
      random: () => 0.5,
      after(delayMs, call) {
        let isOff = false;
        const isPause = delayMs < 1_000_000;
        if (isPause) trace.push(`waits ${delayMs}`);
        if (isPause || delayMs === options.fires) queueMicrotask(() => isOff || call());
        return () => {
          isOff = true;
        };
      },
    },
    policy: POLICY,
    request: {
      url: 'http://server',
      accessToken: undefined,
      filter: options.isFiltered && { tags: ['a'] },
      signal: stop.signal,
    },
    onReduced: ({ held }) => trace.push(`holds ${held?.revision}`),
    onConnection: (words) => words.startsWith('not connected') && trace.push(words.split(';')[0] ?? ''),
  }).then(
    () => 'done',
    (error: unknown) => (error instanceof FlagError ? error.code : error),
  );
  return [...trace, end];
}

test('resumes by id after the server closed the stream', async () => {
  const trace = await follow([
    (listener) => {
      listener.opened();
      listener.received([snapshot(3), change(4)]);
      return CLOSED;
    },
    (listener) => {
      listener.opened();
      listener.received([change(5)]);
      return CLOSED;
    },
  ]);
  expect(trace).toEqual([
    'asks after nothing',
    'holds 3',
    'holds 4',
    'not connected: the server closed the stream',
    'waits 500',
    'asks after e.4',
    'holds 5',
    'not connected: the server closed the stream',
    'waits 1000',
    'done',
  ]);
});

test('starts over when a heartbeat says that a change was lost, and goes on when it says that none was', async () => {
  const trace = await follow([
    (listener, { signal }) => {
      listener.opened();
      listener.received([snapshot(3)]);
      listener.position({ epoch: 'e', revision: 3 });
      listener.received([change(4)]);
      listener.position({ epoch: 'e', revision: 5 });
      return signal.aborted ? { ended: 'aborted' } : CLOSED;
    },
    () => CLOSED,
  ]);
  expect(trace).toContain('holds 4');
  expect(trace.filter((line) => String(line).startsWith('not connected'))[0]).toBe(
    'not connected: a change is missing, starting over',
  );
});

test('starts over with a snapshot when a change is missing, and hears no more of that stream', async () => {
  const trace = await follow([
    (listener, { signal }) => {
      listener.opened();
      listener.received([snapshot(3), change(5), change(4)]);
      return signal.aborted ? { ended: 'aborted' } : CLOSED;
    },
    (listener) => {
      listener.received([snapshot(5)]);
      return CLOSED;
    },
    () => CLOSED,
  ]);
  expect(trace).toEqual([
    'asks after nothing',
    'holds 3',
    'not connected: a change is missing, starting over',
    'waits 500',
    'asks after nothing',
    'holds 5',
    'not connected: the server closed the stream',
    'waits 1000',
    'asks after e.5',
    'not connected: the server closed the stream',
    'waits 2000',
    'done',
  ]);
});

test('takes a jump of revisions for what it is when a filter leaves some out', async () => {
  const trace = await follow(
    [
      (listener) => {
        listener.received([snapshot(3), change(7)]);
        return CLOSED;
      },
    ],
    { isFiltered: true },
  );
  expect(trace.slice(0, 3)).toEqual(['asks after nothing', 'holds 3', 'holds 7']);
});

test('starts over after an event that could not be read', async () => {
  const trace = await follow([
    (listener, { signal }) => {
      listener.received([snapshot(3)]);
      listener.malformed(new FlagError('invalid_data', 'flag.id must be a number.'));
      return signal.aborted ? { ended: 'aborted' } : CLOSED;
    },
    () => CLOSED,
  ]);
  expect(trace).toContain('not connected: the server sent something wrong: flag.id must be a number.');
  expect(trace.filter((line) => String(line).startsWith('asks'))).toEqual([
    'asks after nothing',
    'asks after nothing',
  ]);
});

test('prints nothing for what it knows already', async () => {
  const trace = await follow([
    (listener) => {
      listener.received([snapshot(3), change(3), snapshot(2)]);
      return CLOSED;
    },
  ]);
  expect(trace.filter((line) => String(line).startsWith('holds'))).toEqual(['holds 3']);
});

test('a server that says bye, retry or Retry-After is left alone at least that long', async () => {
  const trace = await follow([
    (listener) => {
      listener.received([{ kind: 'bye', retryAfterMs: 7000, reason: '' }]);
      listener.retry(3000);
      return CLOSED;
    },
    () => ({ ended: 'refused', status: 503, retryAfterMs: 9000 }),
  ]);
  expect(trace.filter((line) => String(line).startsWith('waits'))).toEqual(['waits 7500', 'waits 10000']);
});

test('a stream that stays silent is given up', async () => {
  const untilStopped: Script = (listener, { signal }) => {
    listener.opened();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ ended: 'aborted' })));
  };
  const trace = await follow([untilStopped], { fires: POLICY.silenceMs });
  expect(trace).toContain('not connected: silence for 1000.002 s');
});

test('a server that does not answer is given up', async () => {
  const untilStopped: Script = (_, { signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve({ ended: 'aborted' })));
  const trace = await follow([untilStopped], { fires: POLICY.connectTimeoutMs });
  expect(trace).toContain('not connected: no answer for 1000.001 s');
});

test.each([
  [401, 'unauthorized'],
  [403, 'unauthorized'],
  [404, 'not_found'],
  [410, 'not_found'],
  [204, 'unreachable'],
  [400, 'unreachable'],
])('gives up for good at status %i', async (status, code) => {
  const trace = await follow([() => ({ ended: 'refused', status, retryAfterMs: undefined })]);
  expect(trace).toEqual(['asks after nothing', code]);
});

test.each<[string, StreamEnd]>([
  ['a wrong content type', { ended: 'wrong-content', contentType: 'text/html' }],
  ['a broken connection', { ended: 'failed', error: new FlagError('unreachable', 'The line is cut.') }],
  ['status 500', { ended: 'refused', status: 500, retryAfterMs: undefined }],
  ['status 429', { ended: 'refused', status: 429, retryAfterMs: undefined }],
])('tries again after %s', async (_, end) => {
  const trace = await follow([() => end, () => CLOSED]);
  expect(trace.filter((line) => String(line).startsWith('asks'))).toHaveLength(2);
});

test('a long life of a stream clears the count of failures', async () => {
  const closed = () => CLOSED;
  const live: Script = (listener, _, pass) => {
    listener.opened();
    pass(POLICY.resetAfterMs);
    return CLOSED;
  };
  const trace = await follow([closed, closed, live, closed]);
  const waits = trace.filter((line) => String(line).startsWith('waits'));
  expect(waits).toEqual(['waits 500', 'waits 1000', 'waits 500', 'waits 1000']);
});

test('waiting long for an answer is no long life', async () => {
  const slow: Script = (_, __, pass) => {
    pass(POLICY.resetAfterMs);
    return CLOSED;
  };
  const trace = await follow([slow, slow]);
  expect(trace.filter((line) => String(line).startsWith('waits'))).toEqual(['waits 500', 'waits 1000']);
});
