/** Events as the bytes of each transport: made once, written to every stream that wants them. */
import type { EventId } from '../core/model.ts';
import type { EventFrame } from '../core/protocol/messages.ts';
import { encodeSseEvent, encodeSsePosition } from '../core/protocol/sse-frame.ts';
import { encodeWebSocketEvent, encodeWebSocketPosition } from '../core/protocol/websocket-server-frame.ts';
import { textFrame } from './websocket-bytes.ts';

export interface StreamEncoding {
  /** Tells encodings apart where bytes are kept. */
  readonly name: string;
  events(events: readonly EventFrame[]): Buffer;
  /** A heartbeat that says where the stream stands. */
  position(id: EventId): Buffer;
}

export const SSE_ENCODING: StreamEncoding = {
  name: 'sse',
  events: (events) => Buffer.from(events.map(encodeSseEvent).join('')),
  position: (id) => Buffer.from(encodeSsePosition(id)),
};

/** What a server sends is not masked, so that the same bytes suit every socket. */
export const WEBSOCKET_ENCODING: StreamEncoding = {
  name: 'websocket',
  events: (events) => Buffer.concat(events.map((event) => textFrame(encodeWebSocketEvent(event)))),
  position: (id) => textFrame(encodeWebSocketPosition(id)),
};

/** The bytes for an encoding, made when they are asked for the first time. */
export function oncePerEncoding(
  encode: (encoding: StreamEncoding) => Buffer,
): (encoding: StreamEncoding) => Buffer {
  const made = new Map<StreamEncoding, Buffer>();
  return (encoding) => {
    const bytes = made.get(encoding) ?? encode(encoding);
    made.set(encoding, bytes);
    return bytes;
  };
}
