/** The address of a flag server, as every public entry takes it. */
import { FlagError } from '../core/errors.ts';

/** Absolute, http or https, without query, hash, name or password; given back without a trailing slash. Throws `invalid_option`. */
export function checkServerUrl(text: unknown): string {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.search ||
    url.hash ||
    url.username ||
    url.password
  ) {
    throw new FlagError(
      'invalid_option',
      `url must be the absolute http(s) address of the flag server, such as https://flags.example.com, but is ${text === undefined ? 'missing' : JSON.stringify(text)}.`,
    );
  }
  return (url.origin + url.pathname).replace(/\/+$/, '');
}
