/** Which server to talk to and as whom: the options that all verbs but `serve` share. */
import { type Command, Option } from 'commander';
import { FlagError } from '../core/errors.ts';

/** As commander gives them. */
export interface ServerOptions {
  readonly url: string;
  readonly token?: string;
}

/** After checks. */
export interface ServerAddress {
  /** Without a trailing slash. */
  readonly url: string;
  readonly token: string | undefined;
}

export function addServerOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--url <url>', 'base URL of the flag server')
        .env('FLAGENT_URL')
        .default('http://127.0.0.1:18000'),
    )
    .addOption(
      new Option('--token <token>', 'bearer token; the variable keeps it out of the list of processes').env(
        'FLAGENT_TOKEN',
      ),
    );
}

/** Throws `invalid_option`. */
export function checkServerOptions({ url, token }: ServerOptions): ServerAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    refuse(
      `must be an absolute http or https URL such as http://127.0.0.1:18000, but is ${JSON.stringify(url)}`,
    );
  }
  if (parsed.username !== '' || parsed.password !== '') {
    refuse('must not hold a user or a password; use --token or FLAGENT_TOKEN');
  }
  if (parsed.search !== '' || parsed.hash !== '') refuse('must end with its path, without "?" or "#"');
  return { url: parsed.href.replace(/\/+$/, ''), token: token === '' ? undefined : token };
}

function refuse(expected: string): never {
  throw new FlagError('invalid_option', `--url (FLAGENT_URL) ${expected}.`);
}

/** For options that may be given several times, or once with commas. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  const values = value.split(',').map((part) => part.trim());
  return [...before, ...values.filter((part) => part !== '')];
}
