/** One socket, from its opening to its end, as one stream of a transport: what is said on it, and to whom what comes is told. */
import { FlagError } from '../core/errors.ts';
import {
  type ClientFrame,
  encodeClientFrame,
  WEBSOCKET_PROTOCOL,
} from '../core/protocol/websocket-client-frame.ts';
import { decodeServerFrame, type ServerFrame } from '../core/protocol/websocket-server-frame.ts';
import type { System } from '../system/system.ts';
import type { ServerRequest, StreamEnd, StreamListener } from './contract.ts';
import { brokenUse, unreachable } from './request.ts';
import type { WebSocketLike } from './websocket-like.ts';

/** Questions and answers that share the socket of a stream with it. */
export interface SideTraffic {
  /** The server has accepted the socket; frames may be sent until `closed`. */
  opened(send: (text: string) => void): void;
  received(answer: Extract<ServerFrame, { kind: 'evaluation_result' | 'error' }>): void;
  /** What was sent and not answered will not be. `lost`: by a cut or by the server; `left`: by us, for another socket or for good. */
  closed(how: 'lost' | 'left'): void;
}

export interface SocketStreamOptions {
  /** Throws for an address or a token that cannot be. */
  readonly open: (request: ServerRequest) => WebSocketLike;
  readonly system: Pick<System, 'after'>;
  /** UTF-16 units of one event. */
  readonly maxEventLength: number;
  readonly pingIntervalMs: number;
  readonly beside: SideTraffic | undefined;
}

/** There is one subscription on the socket, that of the stream. */
const SUBSCRIPTION = 'stream';

/** Settles when the socket is of no more use. `never opened`: the platform does not say why. Never rejects. */
export function openStream(
  options: SocketStreamOptions,
  request: ServerRequest,
  listener: StreamListener,
): Promise<StreamEnd | 'never opened'> {
  const { system, beside, pingIntervalMs, maxEventLength } = options;
  const { signal, filter, after, url } = request;
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ ended: 'aborted' });
    let socket: WebSocketLike;
    try {
      socket = options.open(request);
    } catch (error) {
      return resolve({
        ended: 'failed',
        error: error instanceof FlagError ? error : unreachable(url, error),
      });
    }
    let isOpen = false;
    let isOver = false;
    let stopPings = (): void => {};

    const end = (how: StreamEnd | 'never opened'): void => {
      if (isOver) return;
      isOver = true;
      stopPings();
      signal.removeEventListener('abort', abort);
      socket.close();
      if (isOpen) beside?.closed(how === 'never opened' || how.ended === 'aborted' ? 'left' : 'lost');
      resolve(how);
    };
    const abort = (): void => end({ ended: 'aborted' });
    signal.addEventListener('abort', abort);

    const send = (frame: ClientFrame): void => socket.send(encodeClientFrame(frame));
    const ping = (): void => {
      stopPings = system.after(pingIntervalMs, () => {
        send({ kind: 'ping' });
        ping();
      });
    };
    /** A handler of the listener's that throws is no reason to go on as if nothing were. */
    const guarded = (call: () => void): void => {
      if (isOver) return;
      try {
        call();
      } catch (error) {
        end({ ended: 'failed', error: brokenUse(url, error) });
      }
    };

    socket.onopen = () =>
      guarded(() => {
        isOpen = true;
        if (socket.protocol !== WEBSOCKET_PROTOCOL) {
          end({ ended: 'wrong-content', contentType: `WebSocket subprotocol ${socket.protocol || 'none'}` });
          return;
        }
        ping();
        if (isNothing(filter)) listener.opened();
        else send({ kind: 'subscribe', id: SUBSCRIPTION, filter, after });
        if (!isOver) beside?.opened((text) => socket.send(text));
      });
    socket.onmessage = ({ data }: { readonly data: unknown }) =>
      guarded(() => {
        listener.alive();
        if (isOver) return;
        const stop = handOver(data, { listener, beside, maxEventLength });
        if (stop !== undefined) end(stop);
      });
    // Says nothing that `close` does not say too; without a handler Node would report it.
    socket.onerror = () => {};
    socket.onclose = (event: { readonly code: number; readonly reason: string }) =>
      end(isOpen ? endOf(event, url) : 'never opened');
  });
}

function isNothing(filter: ServerRequest['filter']): boolean {
  return filter !== undefined && Object.values(filter).every((names) => names.length === 0);
}

interface Hearing {
  readonly listener: StreamListener;
  readonly beside: SideTraffic | undefined;
  readonly maxEventLength: number;
}

/** Tells who is concerned what one frame brought. The result ends the stream. */
function handOver(data: unknown, { listener, beside, maxEventLength }: Hearing): StreamEnd | undefined {
  if (typeof data !== 'string') {
    const error = new FlagError('invalid_data', 'The server sent a binary frame; only text is understood.');
    return { ended: 'failed', error };
  }
  const decoded = decodeServerFrame(data, maxEventLength);
  if (!decoded.ok) {
    listener.malformed(decoded.error);
    // A change that is left out is fetched again with a snapshot; one that is too large would be again.
    return decoded.error.code === 'too_large' ? { ended: 'failed', error: decoded.error } : undefined;
  }
  const frame = decoded.value;
  switch (frame.kind) {
    case 'message':
      listener.received([frame.message]);
      return undefined;
    case 'position':
      listener.position(frame.at);
      return undefined;
    case 'subscribed':
      listener.opened();
      return undefined;
    case 'error':
      // Ours, or of a frame whose id the server could not read: one way or the other it does not stream.
      if (frame.id === SUBSCRIPTION || frame.id === undefined) {
        return { ended: 'failed', error: new FlagError(frame.code, frame.message) };
      }
      beside?.received(frame);
      return undefined;
    case 'evaluation_result':
      beside?.received(frame);
      return undefined;
    case 'pong':
      return undefined;
  }
}

/** In order: the server said so with one of the codes for it. */
const IN_ORDER = [1000, 1001, 1005];

function endOf({ code, reason }: { readonly code: number; readonly reason: string }, url: string): StreamEnd {
  if (IN_ORDER.includes(code)) return { ended: 'closed' };
  const why = code === 1006 ? 'the socket was cut' : `the server closed the socket with ${code} ${reason}`;
  return { ended: 'failed', error: unreachable(url, new Error(why.trim())) };
}
