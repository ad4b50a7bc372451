/** The address of a flag server, as every public entry takes it. */
import { FlagError } from '../core/errors.ts';

/** What the option `url` must be, for the message that refuses another one. */
export const SERVER_URL =
  'the absolute http(s) address of the flag server, such as https://flags.example.com';

/** Without a trailing slash; `undefined` unless it is absolute, http or https, without query, hash, name and password. */
export function serverUrlOf(text: unknown): string | undefined {
  const url = typeof text === 'string' && URL.canParse(text) && new URL(text);
  const address = url && url.origin + url.pathname;
  return address && /^http/.test(address) && url.href === address ? address.replace(/\/+$/, '') : undefined;
}

/** Throws `invalid_option`. */
export function checkServerUrl(text: unknown): string {
  const url = serverUrlOf(text);
  if (url !== undefined) return url;
  const found = text === undefined ? 'missing' : JSON.stringify(text);
  throw new FlagError('invalid_option', `url must be ${SERVER_URL}, but is ${found}.`);
}
