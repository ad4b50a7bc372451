/** The stream of flag changes over a WebSocket, behind the same contract as server-sent events. Snapshots and polls go over `fetch`. It retries nothing. */
import { LIMITS } from '../core/protocol/limits.ts';
import { BEARER_PROTOCOL_PREFIX, WEBSOCKET_PROTOCOL } from '../core/protocol/websocket-client-frame.ts';
import type { System } from '../system/system.ts';
import type { RequestFailure, ServerRequest, Transport } from './contract.ts';
import type { FetchLike } from './fetch-like.ts';
import { bearer, exchange, mediaType, refusal, unreachable } from './request.ts';
import { fetchSnapshot } from './snapshot.ts';
import type { WebSocketConstructor } from './websocket-like.ts';
import { openStream, type SideTraffic } from './websocket-stream.ts';

export interface WebSocketTransportOptions {
  /** `globalThis.WebSocket`, that of another package, or a fake. */
  readonly WebSocket: WebSocketConstructor;
  /** For snapshots, and to learn why a socket was refused: no browser tells. */
  readonly fetch: FetchLike;
  readonly system: Pick<System, 'nowMs' | 'after'>;
  /** Address of the socket. Default `/ws` below the URL of the server, with `ws` in place of `http`. */
  readonly address?: string;
  /** UTF-16 units of one event and of one snapshot. Default `LIMITS.eventLength`. */
  readonly maxEventLength?: number;
  /** The server is asked for a sign of life this often: pages cannot ping. Default 15 s. */
  readonly pingIntervalMs?: number;
  /** What else travels on the socket of the stream. */
  readonly beside?: SideTraffic;
}

const PING_INTERVAL_MS = 15_000;

/**
 * A WebSocket as one transport. A filter that names nothing subscribes to nothing: the socket is then there for what travels beside the
 * stream. A listener that throws ends its stream as `failed` with code `closed`.
 */
export function createWebSocketTransport(options: WebSocketTransportOptions): Transport {
  const { WebSocket, fetch, system, address, beside } = options;
  const { maxEventLength = LIMITS.eventLength, pingIntervalMs = PING_INTERVAL_MS } = options;
  const open = (request: ServerRequest) =>
    new WebSocket(addressOf(request, address), protocolsOf(request.accessToken));
  return {
    stream: async (request, listener) => {
      const parts = { open, system, maxEventLength, pingIntervalMs, beside };
      const end = await openStream(parts, request, listener);
      return end === 'never opened' ? askWhy(options, request) : end;
    },
    fetchSnapshot: (request) => fetchSnapshot({ fetch, system, maxLength: maxEventLength }, request),
  };
}

function addressOf({ url }: ServerRequest, address: string | undefined): string {
  return (address ?? `${url}/ws`).replace(/^http/, 'ws');
}

/** The token in base64url, which may stand in a subprotocol. Throws `unauthorized` for one that could stand in no header. */
function protocolsOf(accessToken: string | undefined): string[] {
  if (bearer(accessToken) === undefined) return [WEBSOCKET_PROTOCOL];
  const text = btoa(accessToken ?? '')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
  return [WEBSOCKET_PROTOCOL, BEARER_PROTOCOL_PREFIX + text];
}

/** The same address without an upgrade: the server answers with the status that the socket was refused with. */
function askWhy(
  { fetch, system, address }: WebSocketTransportOptions,
  request: ServerRequest,
): Promise<RequestFailure> {
  const url = addressOf(request, address).replace(/^ws/, 'http');
  return exchange<RequestFailure>(
    fetch,
    { request: { ...request, url, filter: undefined }, path: '', headers: { accept: 'application/json' } },
    async (response) => {
      if (response.status === 200) return { ended: 'wrong-content', contentType: mediaType(response) };
      if (response.status !== 426) return refusal(response, system);
      const why = new Error('the server takes WebSockets, but none gets through to it');
      return { ended: 'failed', error: unreachable(request.url, why) };
    },
  );
}
