/** `types`: writes the declaration file that makes the keys of flags, their variants and attachments known to the compiler. */
import { type Command, Option } from 'commander';
import { DEFAULT_POLICY } from '../core/connection/policy.ts';
import type { Flag } from '../core/model.ts';
import { readFlags } from '../core/protocol/decode-flag.ts';
import { createSystem } from '../system/system.ts';
import { createSseTransport } from '../transport/sse.ts';
import { askServer } from './ask-server.ts';
import { declareFlags } from './declare-flags.ts';
import { followFlags } from './follow-flags.ts';
import { counted } from './printable.ts';
import { addServerOptions, checkServerOptions, collect, type ServerOptions } from './server-options.ts';
import { stopSignal } from './stop-signal.ts';
import { createTeller } from './watch.ts';
import { writeChanged } from './write-changed.ts';

interface TypesOptions extends ServerOptions {
  readonly tag?: readonly string[];
  readonly out?: string;
  readonly watch?: true;
}

const EXAMPLE = `
The file must be among those that the compiler reads ("include" in tsconfig.json). Flags that are archived are not in it.
With --out a server that cannot be reached leaves the old file as it is.
With --watch it is written again whenever keys, variants or attachments change; ends with Ctrl-C.

Examples:
  flagent-offline types > flags.d.ts
  flagent-offline types --tag web --out src/flags.d.ts --watch`;

export function addTypesVerb(program: Command): void {
  const types = program.command('types').description('Print the flags as types for the compiler.');
  addServerOptions(types)
    .addOption(
      new Option('--tag <tag>', 'only flags with this tag; may be given several times').argParser(collect),
    )
    .option('--out <file>', 'write them to this file, when they differ from what it holds')
    .option('--watch', 'go on, and write the file after every change; needs --out')
    .addHelpText('after', EXAMPLE)
    .action(async (options: TypesOptions) => {
      if (options.out !== undefined) await writeTypes({ ...options, out: options.out });
      else if (options.watch)
        types.error('error: --watch needs --out, the file to write after every change.');
      else process.stdout.write(declareFlags(await askFlags(options), options.tag ?? []));
    });
}

async function writeTypes(options: TypesOptions & { readonly out: string }): Promise<void> {
  const { out, tag: tags = [] } = options;
  let isFirst = true;
  const write = (flags: readonly Flag[]): void => {
    const outcome = writeChanged(out, declareFlags(flags, tags));
    const size = counted(flags.length, 'flag');
    if (outcome === 'written') console.error(`wrote ${out}: ${size}`);
    else if (isFirst) console.error(`${out} is current: ${size}`);
    isFirst = false;
  };
  if (options.watch) await watchFlags(options, write);
  else write(await askFlags(options));
}

/** All flags at once, as any Flagent server gives them. */
async function askFlags({ tag: tags = [], ...options }: TypesOptions): Promise<readonly Flag[]> {
  const query = new URLSearchParams({ preload: 'true', ...(tags.length > 0 && { tags: tags.join(',') }) });
  const answer = await askServer(checkServerOptions(options), {
    method: 'GET',
    path: `/api/v1/flags?${query}`,
  });
  return readFlags(answer, 'flags');
}

/** Settles with Ctrl-C. Rejects when another attempt is of no use, or with what `onFlags` throws. */
async function watchFlags(
  { tag: tags = [], ...options }: TypesOptions,
  onFlags: (flags: readonly Flag[]) => void,
): Promise<void> {
  const { url, token } = checkServerOptions(options);
  const system = createSystem();
  const failed = new AbortController();
  await followFlags({
    transport: createSseTransport({ fetch, system }),
    system,
    policy: DEFAULT_POLICY,
    request: {
      url,
      accessToken: token,
      filter: tags.length > 0 ? { tags } : undefined,
      signal: AbortSignal.any([stopSignal(), failed.signal]),
    },
    onReduced({ held }) {
      if (held === undefined || failed.signal.aborted) return;
      try {
        onFlags([...held.flags.values()]);
      } catch (error) {
        // Thrown from here it would count as the server's fault.
        failed.abort(error);
      }
    },
    onStatus: createTeller(url, system),
    trace: () => {},
  });
  failed.signal.throwIfAborted();
}
