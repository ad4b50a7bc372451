/** What `FlagentSSEClient` takes, and the door where it is checked. */
import { checkServerUrl } from '../system/server-url.ts';
import { type CheckedClientOptions, type ClientOptions, checkClientOptions } from './client-options.ts';

export interface FlagentSSEClientOptions extends ClientOptions {
  /** Base URL of the flag server, absolute: `https://flags.example.com`. */
  readonly url: string;
}

/** Throws `invalid_option`. */
export function checkSSEClientOptions(
  options: FlagentSSEClientOptions,
): CheckedClientOptions & { readonly url: string } {
  const checked = checkClientOptions(options, 'FlagentSSEClient', ['url']);
  return { ...checked, url: checkServerUrl(options.url) };
}
