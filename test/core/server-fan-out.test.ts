/** The fan-out without sockets: shared bytes, batches, and that no cut at any point loses or doubles a change. */

import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Change, Flag, FlagFilter } from '../../src/core/model.ts';
import { decodeMessage, type Message } from '../../src/core/protocol/messages.ts';
import { decodeServerFrame } from '../../src/core/protocol/websocket-server-frame.ts';
import { type Held, reduce } from '../../src/core/state/reduce.ts';
import { createFlag, setArchived, setEnabled, updateFlag } from '../../src/server/edits/flags.ts';
import { addTag, removeTag } from '../../src/server/edits/variants-and-tags.ts';
import { changeEvents } from '../../src/server/encoded.ts';
import { createFanOut, type FanOut, type StreamSink } from '../../src/server/fan-out.ts';
import { snapshotOf } from '../../src/server/filtered.ts';
import { type FlagSource, openSqliteSource } from '../../src/server/index.ts';
import { SSE_ENCODING, type StreamEncoding, WEBSOCKET_ENCODING } from '../../src/server/stream-encoding.ts';
import { textsIn } from '../kit/text-frames.ts';

function messagesIn(bytes: Buffer): readonly Message[] {
  const messages: Message[] = [];
  const parser = createParser({
    onEvent({ event = 'message', id, data }) {
      const decoded = decodeMessage({ event, id, data });
      if (!decoded.ok) throw decoded.error;
      messages.push(decoded.value);
    },
  });
  parser.feed(bytes.toString());
  return messages;
}

function messagesInFrames(bytes: Buffer): readonly Message[] {
  return textsIn(bytes).flatMap((text) => {
    const decoded = decodeServerFrame(text);
    if (!decoded.ok) throw decoded.error;
    return decoded.value.kind === 'message' ? [decoded.value.message] : [];
  });
}

/** How the bytes of each encoding are read. */
const READERS = new Map<StreamEncoding, (bytes: Buffer) => readonly Message[]>([
  [SSE_ENCODING, messagesIn],
  [WEBSOCKET_ENCODING, messagesInFrames],
]);

function recordingSink(): StreamSink & {
  readonly writes: Buffer[];
  queuedBytes: number;
  isDestroyed: boolean;
} {
  return {
    writes: [],
    queuedBytes: 0,
    isDestroyed: false,
    write(bytes, flushed) {
      this.writes.push(bytes);
      flushed?.();
    },
    end(bytes) {
      this.writes.push(bytes);
    },
    destroy() {
      this.isDestroyed = true;
    },
  };
}

function open(keptChanges: number): { readonly source: FlagSource; readonly fanOut: FanOut } {
  const source = openSqliteSource({ file: ':memory:', keptChanges });
  const fanOut = createFanOut({
    source,
    keepAliveIntervalMs: 60_000,
    maxQueuedBytes: 1_000,
    drainSpreadMs: 0,
    nowMs: Date.now,
  });
  return { source, fanOut };
}

const newFlag = (key: string) =>
  createFlag(
    { key, description: '', isSimpleBoolean: true, dependsOn: [], environmentId: null, projectId: null },
    '',
  );

/** A client that is cut and comes back with what it holds. */
function cuttableClient(fanOut: FanOut, filter: FlagFilter | undefined, encoding: StreamEncoding) {
  let held: Held | undefined;
  let sink = recordingSink();
  let detach: (() => void) | undefined;

  function read(): void {
    for (const message of sink.writes.splice(0).flatMap(READERS.get(encoding) ?? (() => []))) {
      const reduced = reduce(held, message, filter !== undefined);
      expect([reduced.need, reduced.refused]).toEqual([undefined, 0]);
      held = reduced.held;
    }
  }
  return {
    read,
    get held() {
      return held;
    },
    /** Bytes that were on their way are lost. */
    cut(): void {
      detach?.();
      detach = undefined;
      sink = recordingSink();
    },
    connect(): void {
      if (detach !== undefined) return;
      const wish = { filter, after: held, encoding };
      detach = fanOut.attach(wish, sink, fanOut.firstBytes(wish).bytes);
    },
  };
}

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      what: fc.nat(6),
      flagID: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'connect' as const, 'read' as const) }),
  },
);

const filters: readonly (FlagFilter | undefined)[] = [
  undefined,
  { tags: ['web'] },
  { flagKeys: ['flag-1', 'renamed-2'], flagIDs: [3] },
];

test.each(filters.flatMap((filter) => [...READERS.keys()].map((encoding) => ({ filter, encoding }))))(
  'a client that is cut anywhere ends with the flags of the server, filter $filter over $encoding.name',
  async ({ filter, encoding }) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40, size: 'max' }),
        fc.integer({ min: 0, max: 8 }),
        async (steps, keptChanges) => {
          const { source, fanOut } = open(keptChanges);
          const client = cuttableClient(fanOut, filter, encoding);
          for (const key of ['flag-1', 'flag-2', 'flag-3']) await source.edit(newFlag(key));
          client.connect();
          client.read();
          for (const one of steps) {
            if (one.do === 'edit') await anyEdit(source, one.what, one.flagID).catch(refusalOnly);
            else client[one.do]();
          }
          client.connect();
          client.read();
          const server = snapshotOf(source, filter);
          expect(client.held && [...client.held.flags.values()].toSorted(byID)).toEqual(server.flags);
          if (filter === undefined) expect(client.held?.revision).toBe(server.revision);
          fanOut.drain('done');
          await source.close();
        },
      ),
      { numRuns: 150 },
    );
  },
);

const byID = (a: Flag, b: Flag) => a.id - b.id;

function anyEdit(source: FlagSource, what: number, flagID: number): Promise<unknown> {
  switch (what) {
    case 0:
      return source.edit(newFlag(`flag-${source.catalogue.lastIDs.flag + 1}`));
    case 1:
      return source.edit(setArchived(flagID, source.revision % 2 === 0));
    case 2:
      return source.edit(setEnabled([flagID], source.revision % 3 === 0));
    case 3:
      return source.edit(addTag(flagID, 'web'));
    case 4:
      return source.edit(removeTag(flagID, 1));
    case 5:
      return source.edit(
        updateFlag(flagID, { key: `${source.revision % 2 === 0 ? 'flag' : 'renamed'}-${flagID}` }),
      );
    default:
      return source.edit(updateFlag(flagID, { description: `at ${source.revision}` }));
  }
}

/** Edits of flags that are not there yet, or deleted. */
function refusalOnly(error: unknown): void {
  expect(error).toMatchObject({ name: 'FlagError' });
}

test('one change is one Buffer for all streams with the same filter and encoding, first bytes too', async () => {
  const { source, fanOut } = open(10);
  await source.edit(newFlag('a'));
  const kinds = [undefined, { tags: ['web'] }].flatMap((filter) =>
    [SSE_ENCODING, WEBSOCKET_ENCODING].map((encoding) => ({ filter, encoding, after: undefined })),
  );
  const pairs = kinds.map((wish) =>
    [recordingSink(), recordingSink()].map((sink) => {
      fanOut.attach(wish, sink, fanOut.firstBytes(wish).bytes);
      return sink;
    }),
  );
  await source.edit(addTag(1, 'web'));
  for (const [one, other] of pairs) {
    expect(one?.writes.length).toBe(2);
    expect(one?.writes[0]).toBe(other?.writes[0]);
    expect(one?.writes[1]).toBe(other?.writes[1]);
  }
  expect(new Set(pairs.flatMap((sinks) => sinks.flatMap(({ writes }) => writes))).size).toBe(8);
});

test('a stream whose queue is full is cut at the next event, and also at the next heartbeat', async () => {
  vi.useFakeTimers();
  try {
    const { source, fanOut } = open(10);
    const [atEvent, atHeartbeat, quick] = [recordingSink(), recordingSink(), recordingSink()];
    for (const sink of [atEvent, atHeartbeat, quick]) {
      fanOut.attach(
        { filter: undefined, after: undefined, encoding: SSE_ENCODING },
        sink,
        Buffer.from('first'),
      );
    }
    atEvent.queuedBytes = 1_001;
    await source.edit(newFlag('a'));
    expect([atEvent.isDestroyed, atHeartbeat.isDestroyed, fanOut.streams]).toEqual([true, false, 2]);
    atHeartbeat.queuedBytes = 1_001;
    vi.advanceTimersByTime(60_000);
    expect([atHeartbeat.isDestroyed, quick.isDestroyed, fanOut.streams]).toEqual([true, false, 1]);
    expect(quick.writes.at(-1)?.toString()).toMatch(/^:/);
  } finally {
    vi.useRealTimers();
  }
});

test('many changes are batches of at most 500, and no batch ends in the middle of a rename', () => {
  const changes = Array.from({ length: 1_200 }, (_, index) => deletion(index + 1, index + 1));
  const renamed = changes.map((change, index) => (index === 500 ? { ...change, flagID: 500 } : change));
  const sizes = messagesIn(SSE_ENCODING.events(changeEvents(renamed))).map((message) =>
    message.kind === 'batch' ? message.changes.length : message.kind,
  );
  expect(sizes).toEqual([501, 500, 199]);
  expect(
    messagesIn(SSE_ENCODING.events(changeEvents(changes.slice(0, 501)))).map(({ kind }) => kind),
  ).toEqual(['batch', 'change']);
});

function deletion(revision: number, flagID: number): Change {
  const facts = { epoch: 'e', revision, timestampMs: 1, flagKey: `flag-${flagID}`, flagID };
  return { type: 'FLAG_DELETED', ...facts, flag: null };
}
