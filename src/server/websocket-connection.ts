/** One accepted socket: joins `ws`, the bytes below it and the session above it, and knows whether its client still lives. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { encodeMessage } from '../core/protocol/messages.ts';
import type { StreamSink } from './fan-out.ts';
import { WEBSOCKET_ENCODING } from './stream-encoding.ts';
import { createSession, type SessionParts } from './websocket-session.ts';

export interface ConnectionParts extends SessionParts {
  readonly webSocket: WebSocket;
  /** What `webSocket` reads from and writes to. */
  readonly socket: Duplex;
}

export interface Connection {
  /** Cuts a client from which nothing has come since the ping before, not even an answer to it; pings the others. */
  ping(): void;
  /** Ends the connection, unless it is ending already: the fan-out has said goodbye where there is a stream. */
  sayGoodbye(bye: { readonly reason: string; readonly retryAfterMs: number }): void;
}

/** RFC 6455 §7.4.1: the server is going away. */
const GOING_AWAY = 1001;

export function joinSession(parts: ConnectionParts): Connection {
  const { webSocket, socket } = parts;
  const sink = sinkOf(webSocket, socket);
  const session = createSession(
    {
      sink,
      get isFull() {
        return socket.writableNeedDrain;
      },
      send: (text) => webSocket.send(text),
      refuse: (code, reason) => webSocket.close(code, reason),
    },
    parts,
  );
  let hasShownLife = true;

  webSocket.on('pong', () => {
    hasShownLife = true;
  });
  webSocket.on('message', (data, isBinary) => {
    hasShownLife = true;
    if (isBinary) session.receiveBinary();
    else session.receive(data.toString());
    // What a client asks faster than it reads stays in its own machine.
    if (session.isBehind) webSocket.pause();
  });
  socket.on('drain', () => {
    session.drained();
    if (!session.isBehind) webSocket.resume();
  });
  // Frames that break the protocol: `ws` closes with the fitting code, and nobody here is to blame.
  webSocket.on('error', () => session.end());
  webSocket.on('close', () => session.end());

  return {
    ping: () => {
      if (!hasShownLife) {
        webSocket.terminate();
        return;
      }
      hasShownLife = false;
      if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
    },
    sayGoodbye: (bye) => {
      const bytes = WEBSOCKET_ENCODING.events([encodeMessage({ kind: 'bye', ...bye })]);
      sink.end(bytes);
      session.end();
    },
  };
}

/** Bytes go around `ws`, which would make frames of its own; both write to the socket at once, so the order stays. */
function sinkOf(webSocket: WebSocket, socket: Duplex): StreamSink {
  const isOpen = (): boolean => webSocket.readyState === webSocket.OPEN;
  return {
    write: (bytes, flushed) => {
      // After a close frame nothing may follow.
      if (isOpen()) socket.write(bytes, flushed);
    },
    get queuedBytes() {
      return socket.writableLength;
    },
    end: (bytes) => {
      if (isOpen()) socket.write(bytes);
      webSocket.close(GOING_AWAY);
    },
    destroy: () => webSocket.terminate(),
  };
}
