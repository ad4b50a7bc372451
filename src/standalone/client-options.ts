/** What the clients without a hub all take, and the door where it is checked. */
import { type ConnectionPolicy, DEFAULT_POLICY } from '../core/connection/policy.ts';
import { FlagError } from '../core/errors.ts';
import type { FetchLike } from '../transport/fetch-like.ts';
import { bearer } from '../transport/request.ts';

/** The token, or a function that gives one (may be async). It is called before every attempt, and again at once when the server answers 401. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

export interface ClientOptions {
  /** Sent as `Authorization: Bearer`, never in a URL; kept in memory only. */
  readonly apiKey?: TokenSource;
  /** The same under the name that `createFlagClient` has for it; give one of the two. */
  readonly accessToken?: TokenSource;
  /** Retry delays, `maxAttempts`, watchdog and other numbers, where they should differ from the defaults. */
  readonly connection?: Partial<ConnectionPolicy>;
  /** In place of the platform's own `fetch`: for a proxy agent, or a test. */
  readonly fetch?: FetchLike;
}

export interface CheckedClientOptions {
  readonly accessToken: () => string | undefined | Promise<string | undefined>;
  readonly connection: Partial<ConnectionPolicy>;
  readonly fetch: FetchLike;
}

const KNOWN = ['apiKey', 'accessToken', 'connection', 'fetch'];

/** `others`: options that the client `name` has beside these. Throws `invalid_option`. A token is never shown. */
export function checkClientOptions(
  options: ClientOptions,
  name: string,
  others: readonly string[],
): CheckedClientOptions {
  if (typeof options !== 'object' || options === null) {
    refuse(`${name} needs an object of options, at least { url }.`);
  }
  refuseUnknown('option', options, [...others, ...KNOWN]);
  const { apiKey, accessToken, connection = {}, fetch = globalThis.fetch } = options;
  if (apiKey !== undefined && accessToken !== undefined) {
    refuse('apiKey and accessToken are two names of one thing. Give one of them.');
  }
  if (typeof fetch !== 'function') {
    refuse('There is no fetch here. Use Node 22 or newer, or give a function as the option fetch.');
  }
  checkConnection(connection);
  return {
    accessToken: checkToken(apiKey ?? accessToken),
    connection,
    // Browsers want their own fetch to be called as a function of the global object.
    fetch: (address, request) => fetch(address, request),
  };
}

function checkToken(token: TokenSource | undefined): CheckedClientOptions['accessToken'] {
  if (typeof token === 'function') return token;
  if (token !== undefined && typeof token !== 'string') {
    refuse(`apiKey must be a string or a function that gives one, but is of type ${typeof token}.`);
  }
  try {
    bearer(token);
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
  return () => token;
}

function checkConnection(connection: Partial<ConnectionPolicy>): void {
  if (typeof connection !== 'object' || connection === null) refuse('connection must be an object.');
  refuseUnknown('option of connection', connection, Object.keys(DEFAULT_POLICY));
  for (const [name, value] of Object.entries(connection)) {
    const wanted = typeof DEFAULT_POLICY[name as keyof ConnectionPolicy];
    if (typeof value !== wanted || (typeof value === 'number' && !(value >= 0))) {
      refuse(
        `connection.${name} must be a ${wanted}${wanted === 'number' ? ' from 0' : ''}, but is ${value}.`,
      );
    }
  }
}

function refuseUnknown(what: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  if (unknown.length > 0) refuse(`Unknown ${what} ${unknown.join(', ')}. Known are: ${known.join(', ')}.`);
}

/** Throws `invalid_option`. */
export function refuse(message: string): never {
  throw new FlagError('invalid_option', message);
}
