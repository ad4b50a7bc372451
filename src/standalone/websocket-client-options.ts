/** What `FlagentWebSocketClient` takes, and the door where it is checked. */
import { checkServerUrl } from '../system/server-url.ts';
import type { WebSocketConstructor } from '../transport/websocket-like.ts';
import {
  type CheckedClientOptions,
  type ClientOptions,
  checkClientOptions,
  refuse,
} from './client-options.ts';

export interface FlagentWebSocketClientOptions extends ClientOptions {
  /** Base URL of the flag server, `https://flags.example.com`; or the address of the WebSocket itself, `wss://flags.example.com/ws`. */
  readonly url: string;
  /** An evaluation without an answer for this long has failed, reconnects included; milliseconds. Default 10 000. */
  readonly evaluateTimeoutMs?: number;
  /** In place of the platform's own `WebSocket`: that of a package, or a test's. */
  readonly WebSocket?: WebSocketConstructor;
}

export interface CheckedWebSocketClientOptions extends CheckedClientOptions {
  readonly url: string;
  /** Of the socket, where it does not follow from `url`. */
  readonly address: string | undefined;
  readonly evaluateTimeoutMs: number;
  readonly WebSocket: WebSocketConstructor;
}

/** Throws `invalid_option`. */
export function checkWebSocketClientOptions(
  options: FlagentWebSocketClientOptions,
): CheckedWebSocketClientOptions {
  const checked = checkClientOptions(options, 'FlagentWebSocketClient', [
    'url',
    'evaluateTimeoutMs',
    'WebSocket',
  ]);
  const { evaluateTimeoutMs = 10_000, WebSocket = globalThis.WebSocket } = options;
  if (typeof evaluateTimeoutMs !== 'number' || !(evaluateTimeoutMs >= 0)) {
    refuse(`evaluateTimeoutMs must be milliseconds from 0, but is ${evaluateTimeoutMs}.`);
  }
  if (typeof WebSocket !== 'function') {
    refuse('There is no WebSocket here. Use Node 22 or newer, or give a class as the option WebSocket.');
  }
  return { ...checked, ...checkUrl(options.url), evaluateTimeoutMs, WebSocket };
}

/** The rest of the server is taken to be one step above its socket. */
function checkUrl(url: string): { readonly url: string; readonly address: string | undefined } {
  if (typeof url !== 'string' || !/^wss?:/i.test(url))
    return { url: checkServerUrl(url), address: undefined };
  const socket = checkServerUrl(url.replace(/^ws/i, 'http'));
  const { origin, pathname } = new URL(socket);
  return { url: origin + pathname.replace(/\/[^/]*$/, ''), address: socket };
}
