/** One REST call: JSON in, JSON out, and every bad ending a `FlagError` that says what to do. */
import { FlagError } from '../core/errors.ts';
import type { Flag } from '../core/model.ts';
import { readFlags } from '../core/protocol/decode-flag.ts';
import { LIMITS } from '../core/protocol/limits.ts';
import { readJson } from '../core/protocol/read.ts';
import { reasonOf } from '../transport/reason.ts';
import { bearer } from '../transport/request.ts';
import type { ServerAddress } from './server-options.ts';

/** A server that takes longer is taken for hung. An import of 100 000 flags needs seconds. */
const ANSWER_TIMEOUT_MS = 60_000;

export interface Question {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** The parsed body of a 200. Throws `unreachable`, `timeout`, `unauthorized`, `not_found`, `too_large` and `invalid_data`. */
export async function askServer(server: ServerAddress, { method, path, body }: Question): Promise<unknown> {
  const authorization = bearer(server.token);
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      accept: 'application/json',
      ...(authorization !== undefined && { authorization }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  }).catch((cause: unknown) => notReached(server, cause));
  const text = await response.text().catch((cause: unknown) => notReached(server, cause));
  if (!response.ok) refused(server, response.status, text);
  return readJson(text, `The answer of ${server.url}`, 16 * LIMITS.eventLength);
}

/** The flag with this key, as any Flagent server knows it. Throws `not_found`. */
export async function askFlag(server: ServerAddress, key: string): Promise<Flag> {
  const path = `/api/v1/flags?key=${encodeURIComponent(key)}&preload=true`;
  const flags = readFlags(await askServer(server, { method: 'GET', path }), 'flags');
  const flag = flags.find((candidate) => candidate.key === key);
  if (flag !== undefined) return flag;
  throw new FlagError(
    'not_found',
    `There is no flag ${JSON.stringify(key)} at ${server.url}. Check the key, and that the address is the right environment.`,
  );
}

function notReached({ url }: ServerAddress, cause: unknown): never {
  if (cause instanceof DOMException && cause.name === 'TimeoutError') {
    throw new FlagError('timeout', `${url} did not answer in ${ANSWER_TIMEOUT_MS / 1000} s. Try again.`, {
      cause,
    });
  }
  throw new FlagError(
    'unreachable',
    `Cannot reach ${url}: ${reasonOf(cause)}. Start a server with "flagent-offline serve", or give its address with --url.`,
    { cause },
  );
}

function refused({ url, token }: ServerAddress, status: number, body: string): never {
  const said = errorText(body);
  if (status === 401 || status === 403)
    throw new FlagError('unauthorized', unauthorisedText(url, status, token, said), { status });
  if (status === 404)
    throw new FlagError('not_found', `${url} answers 404: ${said} Check that --url is a flag server.`, {
      status,
    });
  const code = status === 413 ? 'too_large' : status < 500 ? 'invalid_data' : 'unreachable';
  throw new FlagError(code, `${url} answers ${status}: ${said}`, { status });
}

/** Also for the stream, where the server's own words are not at hand. */
export function unauthorisedText(url: string, status: number, token: string | undefined, said = ''): string {
  const advice =
    token === undefined
      ? 'Give a token with --token or FLAGENT_TOKEN.'
      : 'Check the token in --token or FLAGENT_TOKEN.';
  return `${url} answers ${status}: ${said || (status === 401 ? 'not authorised.' : 'not allowed.')} ${advice}`;
}

/** `{"error": "…"}`, or in older servers plain text. */
function errorText(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    if (typeof error === 'string' && error !== '') return error;
  } catch {
    // Not JSON: shown as it is.
  }
  return body.trim().slice(0, 200) || 'no further words.';
}
