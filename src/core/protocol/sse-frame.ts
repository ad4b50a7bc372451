/** An event as the bytes of `text/event-stream`. Decoding is eventsource-parser's work (`transport/sse`). */
import { FlagError } from '../errors.ts';
import type { EventId } from '../model.ts';
import { encodeEventId } from './event-id.ts';
import type { EventFrame } from './messages.ts';

const LINE_BREAK = /[\r\n\0]/;

/** `id`, then `event`, then one `data` line; JSON data never holds a raw line break, and the name and id must not. */
export function encodeSseEvent({ event, id, data }: EventFrame): string {
  if (LINE_BREAK.test(event) || LINE_BREAK.test(id ?? '') || LINE_BREAK.test(data)) {
    throw new FlagError(
      'invalid_data',
      `The event ${JSON.stringify(event)} holds a line break and cannot be sent.`,
    );
  }
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}

/** A comment line: keeps proxies and watchdogs content, and is invisible to subscribers. */
export function encodeSseComment(text: string): string {
  return `: ${text.replaceAll(/[\r\n]+/g, ' ')}\n\n`;
}

/**
 * A heartbeat that also says where the stream stands: a comment and an id without an event. A client that holds this state knows
 * that it is current; one that does not knows that a change was lost. A standard EventSource takes it as its next `Last-Event-ID`.
 */
export function encodeSsePosition(id: EventId): string {
  return `: \nid: ${encodeEventId(id)}\n\n`;
}

/** How long a standard EventSource waits before it reconnects. */
export function encodeSseRetry(delayMs: number): string {
  return `retry: ${Math.max(0, Math.round(delayMs))}\n\n`;
}
