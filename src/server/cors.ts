/** Which pages of other origins may call the server, told to the browser on every answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FlagError } from '../core/errors.ts';

const PREFLIGHT_HEADERS = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, DELETE',
  'Access-Control-Allow-Headers': 'Authorization, Last-Event-ID, Content-Type, If-None-Match',
  'Access-Control-Max-Age': '600',
} as const;

export interface Cors {
  /** Sets the headers that every answer needs; whoever writes the head adds to them. */
  allow(request: IncomingMessage, response: ServerResponse): void;
  /** Answers an OPTIONS request. Throws `unauthorized` (403) for an origin that is not allowed. */
  preflight(request: IncomingMessage, response: ServerResponse): void;
}

export function createCors(allowOrigins: readonly string[]): Cors {
  const isAllowed = (origin: string) => allowOrigins.includes('*') || allowOrigins.includes(origin);

  return {
    allow({ headers: { origin } }, response) {
      response.setHeader('Vary', 'Origin');
      if (origin === undefined || !isAllowed(origin)) return;
      response.setHeader('Access-Control-Allow-Origin', allowOrigins.includes('*') ? '*' : origin);
      response.setHeader('Access-Control-Expose-Headers', 'ETag, Retry-After, X-Total-Count');
    },
    preflight({ headers: { origin } }, response) {
      if (origin !== undefined && !isAllowed(origin)) {
        throw new FlagError(
          'unauthorized',
          `Pages of ${origin} may not call this server. Add the origin to allowOrigins.`,
          { status: 403 },
        );
      }
      response.writeHead(204, PREFLIGHT_HEADERS).end();
    },
  };
}
