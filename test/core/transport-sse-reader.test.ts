/** The reader against the collected vectors of `test/vectors/sse.json`, whatever way the bytes are cut. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FlagError } from '../../src/core/errors.ts';
import { createSseReader, type SseItem } from '../../src/transport/sse-reader.ts';

interface Chunk {
  readonly utf8?: string;
  readonly b64?: string;
  readonly repeat?: string;
  readonly count?: number;
  readonly times?: number;
}

interface ParseVector {
  readonly id: string;
  readonly chunks: readonly Chunk[];
  readonly rechunk?: boolean;
  readonly initialLastEventId?: string;
  readonly events: readonly {
    readonly type: string;
    readonly lastEventId: string;
    readonly data?: string;
    readonly dataBytes?: number;
    readonly dataSha256?: string;
  }[];
  readonly retry: readonly number[];
  readonly comments?: readonly string[];
  readonly finalLastEventId: string;
}

const PATH = join(import.meta.dirname, '../vectors/sse.json');
const VECTORS = (JSON.parse(readFileSync(PATH, 'utf8')) as { parse: readonly ParseVector[] }).parse;

/** More than the largest vector. */
const MAX_EVENT_LENGTH = 64 * 1024 * 1024;

function bytesOf({ utf8, b64, repeat, count = 1, times = 1 }: Chunk): Buffer[] {
  const bytes =
    b64 === undefined ? Buffer.from(utf8 ?? (repeat ?? '').repeat(count)) : Buffer.from(b64, 'base64');
  return Array.from({ length: times }, () => bytes);
}

function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

/** As written in the vector, whole, and in pieces of 1, 2, 3, 5 and 7 bytes. */
function chunkings(vector: ParseVector): Map<string, Buffer[]> {
  const asWritten = vector.chunks.flatMap(bytesOf);
  const ways = new Map([['as written', asWritten]]);
  if (vector.rechunk === false) return ways;
  const whole = Buffer.concat(asWritten);
  ways.set('whole', [whole]);
  for (const size of [1, 2, 3, 5, 7]) ways.set(`${size} bytes`, cut(whole, size));
  return ways;
}

function outcomeOf(vector: ParseVector, chunks: readonly Buffer[]) {
  const reader = createSseReader({
    maxEventLength: MAX_EVENT_LENGTH,
    ...(vector.initialLastEventId !== undefined && { lastEventId: vector.initialLastEventId }),
  });
  const items = chunks.flatMap((chunk) => [...reader.read(chunk)]);
  return {
    events: items.flatMap((item) => (item.kind === 'event' ? [eventOf(item)] : [])),
    retry: items.flatMap((item) => (item.kind === 'retry' ? [item.delayMs] : [])),
    comments: items.flatMap((item) => (item.kind === 'comment' ? [item.text] : [])),
    finalLastEventId: reader.lastEventId,
  };
}

function eventOf({ frame, lastEventId }: Extract<SseItem, { kind: 'event' }>) {
  return { type: frame.event, data: frame.data, lastEventId };
}

/** Long data stands in the vectors as its size and hash. */
function digest({ type, data, lastEventId }: { type: string; data: string; lastEventId: string }) {
  return {
    type,
    dataBytes: Buffer.byteLength(data),
    dataSha256: createHash('sha256').update(data).digest('hex'),
    lastEventId,
  };
}

test.each(VECTORS)('reads the vector $id the same way for every cut', (vector) => {
  const { events, retry, finalLastEventId } = vector;
  // The standard gives comments no value; the parser leaves out one space after the colon, as it does for fields.
  const comments = vector.comments?.map((text) => text.replace(/^ /, ''));
  for (const [way, chunks] of chunkings(vector)) {
    const outcome = outcomeOf(vector, chunks);
    expect(
      {
        events: outcome.events.map((event, index) => (events[index]?.dataSha256 ? digest(event) : event)),
        retry: outcome.retry,
        finalLastEventId: outcome.finalLastEventId,
        comments: vector.comments && outcome.comments,
      },
      way,
    ).toEqual({ events, retry, finalLastEventId, comments });
  }
});

test('no vector is left out', () => {
  expect(VECTORS.length).toBe(334);
});

const bytes = (text: string) => new TextEncoder().encode(text);

test('gives an event its own id only, and tells the inherited one apart', () => {
  const items = createSseReader().read(bytes('id: a.1\ndata: x\n\ndata: y\n\n'));
  expect(items).toMatchObject([
    { frame: { id: 'a.1' }, lastEventId: 'a.1' },
    { frame: { id: undefined }, lastEventId: 'a.1' },
  ]);
});

test.each([
  ['in one line of one chunk', ['data: 123456789\n\n']],
  ['in a line that does not end', ['data: 1234', '5678', '9']],
  ['in several lines', ['data: 1234\n', 'data: 5678\n', 'data: 9\n']],
  ['in a comment that does not end', [':12345678', '9'.repeat(8)]],
])('refuses an event over the limit %s, after the good ones, and says so once', (_, chunks) => {
  const reader = createSseReader({ maxEventLength: 8 });
  const good = reader.read(bytes('data: 12345678\n\n'));
  const items = [...chunks, 'data: z\n\n'].flatMap((chunk) => [...reader.read(bytes(chunk))]);
  expect(good).toMatchObject([{ kind: 'event', frame: { data: '12345678' } }]);
  expect(items).toMatchObject([{ kind: 'too-large', error: { code: 'too_large' } }]);
  expect(items[0]).toHaveProperty('error', expect.any(FlagError));
});

test('lets an event of exactly the limit through, however it is cut', () => {
  for (const size of [1, 4, 100]) {
    const reader = createSseReader({ maxEventLength: 8 });
    const items = cut(Buffer.from('data: 12345678\n\n'), size).flatMap((chunk) => [...reader.read(chunk)]);
    expect(items).toMatchObject([{ kind: 'event', frame: { data: '12345678' } }]);
  }
});
