/** Bytes of `text/event-stream` in, events out: whatever way the bytes are cut into chunks. It knows nothing of flags. */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { FlagError } from '../core/errors.ts';
import { LIMITS } from '../core/protocol/limits.ts';
import type { EventFrame } from '../core/protocol/messages.ts';

export type SseItem =
  /** `frame.event` is `message` when the stream names no type; `frame.id` is this event's own id, not an inherited one. */
  | { readonly kind: 'event'; readonly frame: EventFrame; readonly lastEventId: string }
  /** An id without an event: where the stream stands. */
  | { readonly kind: 'position'; readonly id: string }
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'comment'; readonly text: string }
  /** An event is longer than the limit. The reader has lost its place: nothing more comes out of it. */
  | { readonly kind: 'too-large'; readonly error: FlagError };

export interface SseReader {
  /** Everything that these bytes complete, in order. */
  read(bytes: Uint8Array): readonly SseItem[];
  /** What a standard EventSource would send as `Last-Event-ID`; empty for none. */
  readonly lastEventId: string;
}

export interface SseReaderOptions {
  /** UTF-16 units of one event's data. Default `LIMITS.eventLength`. */
  readonly maxEventLength?: number;
  /** The id to begin with, from the connection before. */
  readonly lastEventId?: string;
}

/** The parser also counts the field name of an unfinished line. */
const FIELD_NAME_LENGTH = 'data: '.length;

/** One reader per connection. An event that is unfinished when the stream ends is dropped, as the standard wants. */
export function createSseReader({
  maxEventLength = LIMITS.eventLength,
  lastEventId = '',
}: SseReaderOptions = {}): SseReader {
  // The decoder leaves the byte order mark to the parser: if both took one, a second mark would vanish too.
  const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
  let items: SseItem[] = [];
  let hasOverflowed = false;

  const overflow = (): void => {
    if (hasOverflowed) return;
    hasOverflowed = true;
    items.push({ kind: 'too-large', error: tooLarge(maxEventLength) });
  };
  const receive = ({ event = 'message', id, data }: EventSourceMessage): void => {
    // The id of an event is told just before the event itself.
    const last = items.at(-1);
    if (last?.kind === 'position' && last.id === id) items.pop();
    if (data.length > maxEventLength) overflow();
    if (!hasOverflowed) items.push({ kind: 'event', frame: { event, id, data }, lastEventId });
  };
  const parser = createParser({
    maxBufferSize: maxEventLength + FIELD_NAME_LENGTH,
    onId: (id) => {
      lastEventId = id;
      items.push({ kind: 'position', id });
    },
    onEvent: receive,
    onRetry: (delayMs) => items.push({ kind: 'retry', delayMs }),
    onComment: (text) => items.push({ kind: 'comment', text }),
    // Unknown fields and crooked `retry` values are skipped, as the standard wants.
    onError: (error) => error.type === 'max-buffer-size-exceeded' && overflow(),
  });

  return {
    read(bytes) {
      items = [];
      if (!hasOverflowed) parser.feed(decoder.decode(bytes, { stream: true }));
      return items;
    },
    get lastEventId() {
      return lastEventId;
    },
  };
}

function tooLarge(maxEventLength: number): FlagError {
  return new FlagError(
    'too_large',
    `An event of the stream has more than ${maxEventLength} characters. Narrow the filter or split the flags.`,
  );
}
