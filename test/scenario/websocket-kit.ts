/** Raw WebSocket clients that count nothing and hide nothing: that of the package `ws`, and the platform's own. */
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket as WebSocketOfPackage } from 'ws';
import {
  BEARER_PROTOCOL_PREFIX,
  WEBSOCKET_PROTOCOL,
} from '../../src/core/protocol/websocket-client-frame.ts';
import { decodeServerFrame } from '../../src/core/protocol/websocket-server-frame.ts';
import { wordsOf } from './server-kit.ts';

export interface RawClient {
  say(frame: object | string): void;
  /** The next `count` frames in a few words each. Rejects when the socket closes before. */
  take(count: number): Promise<readonly string[]>;
  /** The code with which it closed. */
  readonly closed: Promise<number>;
  close(): void;
}

export const bearerProtocols = (token: string): string[] => [
  WEBSOCKET_PROTOCOL,
  BEARER_PROTOCOL_PREFIX + Buffer.from(token).toString('base64url'),
];

export const socketUrlOf = (url: string, path = '/ws'): string => url.replace(/^http/, 'ws') + path;

/** With the package `ws`: settles when it is open, rejects with the status when it is refused. */
export async function openRaw(
  url: string,
  { protocols = [WEBSOCKET_PROTOCOL], ...options }: ClientOptions & { protocols?: string[] } = {},
): Promise<RawClient & { readonly socket: WebSocketOfPackage }> {
  const socket = new WebSocketOfPackage(socketUrlOf(url), protocols, options);
  onTestFinished(() => socket.terminate());
  const client = clientOf(socket, () => socket.terminate());
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
  });
  return { ...client, socket };
}

/** With the WebSocket that Node and browsers have. */
export async function openNative(url: string, protocols = [WEBSOCKET_PROTOCOL]): Promise<RawClient> {
  const socket = new WebSocket(socketUrlOf(url), protocols);
  onTestFinished(() => socket.close());
  const client = clientOf(socket, () => socket.close());
  await once(socket, 'open');
  return client;
}

interface AnySocket {
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string): void;
}

function clientOf(socket: AnySocket, close: () => void): RawClient {
  const queue: string[] = [];
  let wake = (): void => {};
  let isOver = false;
  socket.onmessage = ({ data }: { data: unknown }) => {
    queue.push(words(String(data)));
    wake();
  };
  const closed = new Promise<number>((resolve) => {
    socket.onclose = ({ code }: { code: number }) => {
      isOver = true;
      resolve(code);
      wake();
    };
  });
  return {
    closed,
    close,
    say: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    async take(count) {
      while (queue.length < count) {
        if (isOver) throw new Error(`The socket closed with ${queue.length} of ${count} frames: ${queue}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return queue.splice(0, count);
    },
  };
}

/** `subscribed s`, `snapshot 1: a`, `error s too_large`, `result q on MATCH`, `pong`. */
function words(text: string): string {
  const decoded = decodeServerFrame(text);
  if (!decoded.ok) throw decoded.error;
  const frame = decoded.value;
  switch (frame.kind) {
    case 'message':
      return wordsOf([frame.message])[0] ?? '';
    case 'position':
      return `position ${frame.at.revision}`;
    case 'evaluation_result':
      return `result ${frame.id} ${frame.result.variantKey} ${frame.result.reason}`;
    case 'error':
      return `error ${frame.id} ${frame.code}`;
    case 'subscribed':
      return `subscribed ${frame.id}`;
    case 'pong':
      return 'pong';
  }
}
