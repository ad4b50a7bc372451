/** The answers that real networks give, by name, for the scripted server. All others are plain `ScriptedAnswer` objects. */
import type { CutHow } from './faulty-connection.ts';
import type { BodyPiece, ScriptedAnswer } from './scripted-answer.ts';

export const answers = {
  /** A stream of events, by default one that stays open after the last piece. Without pieces: headers, and then silence. */
  stream(
    pieces: Iterable<BodyPiece> = [],
    how: Omit<ScriptedAnswer, 'body' | 'status'> = {},
  ): ScriptedAnswer {
    return { end: 'stay', ...how, body: pieces };
  },

  /** 204 ends streams for good, 401 wants another token, 503 may carry `Retry-After`. */
  status(status: number, headers: ScriptedAnswer['headers'] = {}): ScriptedAnswer {
    return { status, headers: { 'content-type': 'text/plain', ...headers } };
  },

  /** The snapshot as `GET /api/v1/snapshot` gives it; `snapshot` is sent as it is, so that it may be wrong too. */
  json(snapshot: unknown): ScriptedAnswer {
    return { headers: { 'content-type': 'application/json' }, body: [JSON.stringify(snapshot)] };
  },

  /** The login page of a hotel: HTML with status 200, whatever was asked for. */
  captivePortal(): ScriptedAnswer {
    return {
      headers: { 'content-type': 'text/html; charset=utf-8' },
      body: ['<!doctype html><title>Welcome</title><p>Please accept our terms.'],
    };
  },

  /** `location` may be a path, another server, or the path that was asked for: a loop. */
  redirect(location: string, status: 301 | 302 | 303 | 307 | 308 = 302): ScriptedAnswer {
    return { status, headers: { 'content-type': 'text/plain', location } };
  },

  /** The connection is taken and nothing ever comes. */
  silence(): ScriptedAnswer {
    return { status: 'none', end: 'stay' };
  },

  /** The connection ends before any answer. */
  dropped(how: CutHow = 'reset'): ScriptedAnswer {
    return { status: 'none', end: how };
  },

  /** An event that begins and never ends: bytes as fast as they are taken, and no blank line. */
  endlessEvent(): ScriptedAnswer {
    return { body: { [Symbol.iterator]: endlessData } };
  },
} as const;

function* endlessData(): Generator<string> {
  yield 'event: snapshot\ndata: ';
  for (;;) yield 'x'.repeat(64 * 1024);
}
