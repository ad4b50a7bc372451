/** `serve`: runs the flag server until it is told to stop. */
import { once } from 'node:events';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { FlagentServer } from '../server/index.ts';
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
}

const EXAMPLE = `
Prints one line of JSON on standard output when it listens; everything else goes to standard error.
Lists in variables are separated by commas. Without any token the server is open to everybody who reaches it.
Ctrl-C or SIGTERM says goodbye to all clients and ends.

Examples:
  flagent-offline serve
  FLAGENT_WRITE_TOKENS="$TOKEN" flagent-offline serve --host 0.0.0.0 --allow-origin https://app.example.com`;

export function addServeVerb(program: Command): void {
  program
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
    .action(serve);
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

async function serve(options: ServeOptions): Promise<void> {
  const { host, port, db } = options;
  const stop = stopSignal();
  // Here and not above: the other verbs start faster without a server and its database.
  const { createFlagentServer } = await import('../server/index.ts');
  const server = createFlagentServer({
    database: db,
    readTokens: options.readToken ?? [],
    writeTokens: options.writeToken ?? [],
    allowOrigins: options.allowOrigin ?? [],
    report: (error) => console.error(error),
  });
  try {
    const { url } = await server.listen({ host, port });
    const warning = openWarning(options);
    if (warning !== undefined) console.error(oneLine(warning));
    console.log(JSON.stringify(startLine(server, url, db)));
    if (!stop.aborted) await once(stop, 'abort');
    console.error('stopping');
  } finally {
    await server.close();
  }
}

function startLine({ source }: FlagentServer, url: string, db: string): object {
  const flags = [...source.catalogue.records.values()].filter((record) => !record.archived).length;
  return { listening: url, db, epoch: source.epoch, revision: source.revision, flags };
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
