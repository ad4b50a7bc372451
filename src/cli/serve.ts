/** `serve`: runs the flag server until it is told to stop. */
import { once } from 'node:events';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { FlagError } from '../core/errors.ts';
import type { FlagentServer, WebSocketConfig } from '../server/index.ts';
import { readWebSocketSetting, WEBSOCKET_SETTINGS } from '../server/websocket-config.ts';
import { oneLine } from './printable.ts';
import { collect } from './server-options.ts';
import { stopSignal } from './stop-signal.ts';

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly db: string;
  readonly readToken?: readonly string[];
  readonly writeToken?: readonly string[];
  readonly allowOrigin?: readonly string[];
  /** The options of the table, by commander's names for them. */
  readonly [flag: `ws${string}`]: unknown;
}

const WEBSOCKET_NAMES = Object.keys(WEBSOCKET_SETTINGS) as (keyof WebSocketConfig)[];

const EXAMPLE = `
Prints one line of JSON on standard output when it listens; everything else goes to standard error.
Lists in variables are separated by commas. Without any token the server is open to everybody who reaches it.
Ctrl-C or SIGTERM says goodbye to all clients and ends.

Examples:
  flagent-offline serve
  FLAGENT_WRITE_TOKENS="$TOKEN" flagent-offline serve --host 0.0.0.0 --allow-origin https://app.example.com`;

export function addServeVerb(program: Command): void {
  const serveVerb = program
    .command('serve')
    .description('Run the flag server.')
    .addOption(new Option('--host <host>', 'address to listen on').env('FLAGENT_HOST').default('127.0.0.1'))
    .addOption(
      new Option('--port <port>', 'port to listen on; 0 takes a free one')
        .env('FLAGENT_PORT')
        .default(18_000)
        .argParser(readPort),
    )
    .addOption(
      new Option('--db <file>', 'database file; :memory: keeps nothing')
        .env('FLAGENT_DB')
        .default('./flagent-offline.db'),
    )
    .addOption(listOption('--read-token <token>', 'token that may read', 'FLAGENT_READ_TOKENS'))
    .addOption(listOption('--write-token <token>', 'token that may read and edit', 'FLAGENT_WRITE_TOKENS'))
    .addOption(
      listOption('--allow-origin <origin>', 'web origin that may call, or *', 'FLAGENT_ALLOW_ORIGINS'),
    )
    .addHelpText('after', EXAMPLE)
    .action((options: ServeOptions) => serve(options, webSocketConfigOf(serveVerb, options)));
  for (const name of WEBSOCKET_NAMES) serveVerb.addOption(webSocketOption(name));
}

function webSocketOption(name: keyof WebSocketConfig): Option {
  const { flag, variable, description, absent } = WEBSOCKET_SETTINGS[name];
  const shown = absent === undefined ? 'the port of the server' : String(absent);
  return new Option(flag, `${description} (default: ${shown})`).env(variable).argParser((text) => {
    try {
      return readWebSocketSetting(name, text);
    } catch (error) {
      if (error instanceof FlagError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  });
}

function webSocketConfigOf(verb: Command, options: ServeOptions): WebSocketConfig {
  return Object.fromEntries(
    WEBSOCKET_NAMES.flatMap((name) => {
      const option = verb.options.find(({ flags }) => flags === WEBSOCKET_SETTINGS[name].flag);
      const value = option && options[option.attributeName() as `ws${string}`];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function listOption(flags: string, description: string, variable: string): Option {
  return new Option(flags, `${description}; may be given several times`).env(variable).argParser(collect);
}

function readPort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
  }
  return Number(text);
}

async function serve(options: ServeOptions, websocket: WebSocketConfig): Promise<void> {
  const { host, port, db } = options;
  const stop = stopSignal();
  // Here and not above: the other verbs start faster without a server and its database.
  const { createFlagentServer } = await import('../server/index.ts');
  const server = createFlagentServer({
    database: db,
    readTokens: options.readToken ?? [],
    writeTokens: options.writeToken ?? [],
    allowOrigins: options.allowOrigin ?? [],
    websocket,
    report: (error) => console.error(error),
  });
  try {
    const { url, webSocketUrl } = await server.listen({ host, port });
    const warning = openWarning(options);
    if (warning !== undefined) console.error(oneLine(warning));
    console.log(JSON.stringify(startLine(server, { url, webSocketUrl, db })));
    if (!stop.aborted) await once(stop, 'abort');
    console.error('stopping');
  } finally {
    await server.close();
  }
}

function startLine(
  { source }: FlagentServer,
  {
    url,
    webSocketUrl,
    db,
  }: { readonly url: string; readonly webSocketUrl: string | undefined; readonly db: string },
): object {
  const flags = [...source.catalogue.records.values()].filter((record) => !record.archived).length;
  return {
    listening: url,
    webSocket: webSocketUrl,
    db,
    epoch: source.epoch,
    revision: source.revision,
    flags,
  };
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/i;

/** What to tell somebody whose server takes edits from strangers. */
export function openWarning({
  host,
  readToken = [],
  writeToken = [],
}: {
  readonly host: string;
  readonly readToken?: readonly string[] | undefined;
  readonly writeToken?: readonly string[] | undefined;
}): string | undefined {
  if (LOOPBACK.test(host) || readToken.length + writeToken.length > 0) return undefined;
  return `warning: everybody who reaches ${host} can read and edit the flags. Give --write-token and --read-token, or listen on 127.0.0.1.`;
}
