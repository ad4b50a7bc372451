/** Who may do what: bearer tokens and their scopes. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { FlagError } from '../core/errors.ts';

export type Scope = 'read' | 'write';

/** Throws `unauthorized`: status 401 without a known token, 403 when its scope is not enough. */
export type CheckAccess = (authorization: string | undefined, scope: Scope) => void;

export function createAccess(tokens: {
  readonly readTokens: readonly string[];
  readonly writeTokens: readonly string[];
}): CheckAccess {
  const readers = tokens.readTokens.map(digest);
  const writers = tokens.writeTokens.map(digest);
  const isOpen = readers.length + writers.length === 0;

  return (authorization, scope) => {
    if (isOpen) return;
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      throw unauthorized(401, 'This server needs a token. Send it as "Authorization: Bearer <token>".');
    }
    const offered = digest(token);
    const mayWrite = isAmong(writers, offered);
    const mayRead = isAmong(readers, offered) || mayWrite;
    if (!mayRead) throw unauthorized(401, 'The token is not known to this server. Get a current one.');
    if (scope === 'write' && !mayWrite) {
      throw unauthorized(403, 'The token may only read. Use a token with the write scope to edit flags.');
    }
  };
}

/** Digests have one length and say nothing about the token, so comparing them takes the same time for every guess. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Looks at all of them, also after a match. */
function isAmong(digests: readonly Buffer[], offered: Buffer): boolean {
  return digests.map((known) => timingSafeEqual(known, offered)).includes(true);
}

function unauthorized(status: 401 | 403, message: string): FlagError {
  return new FlagError('unauthorized', message, { status });
}
