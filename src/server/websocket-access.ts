/** Who may open a WebSocket: pages of allowed origins, and who brings a token in a header or, as pages must, in a subprotocol. */
import type { IncomingMessage } from 'node:http';
import { FlagError } from '../core/errors.ts';
import { BEARER_PROTOCOL_PREFIX } from '../core/protocol/websocket-client-frame.ts';

/** Throws `unauthorized` (403). A page can open a WebSocket to any server: nothing but this check keeps others out. */
export function checkOrigin({ headers }: IncomingMessage, allowOrigins: readonly string[]): void {
  const { origin, host } = headers;
  // Only browsers say where a page is from.
  if (origin === undefined || allowOrigins.includes('*') || allowOrigins.includes(origin)) return;
  const isOwnPage = host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
  if (isOwnPage) return;
  throw new FlagError(
    'unauthorized',
    `Pages of ${origin} may not call this server. Add the origin to allowOrigins.`,
    { status: 403 },
  );
}

/** The token as `Authorization` would have it. */
export function authorizationOf({ headers }: IncomingMessage): string | undefined {
  if (headers.authorization !== undefined) return headers.authorization;
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const bearer = offered.find((name) => name.startsWith(BEARER_PROTOCOL_PREFIX));
  if (bearer === undefined) return undefined;
  const token = Buffer.from(bearer.slice(BEARER_PROTOCOL_PREFIX.length), 'base64url').toString('latin1');
  return `Bearer ${token}`;
}
