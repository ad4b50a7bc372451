/** `load FILE`: brings the flags of a file into the server. Flags that are not in the file stay as they are. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { FlagError } from '../core/errors.ts';
import { readCount, readObject } from '../core/protocol/read.ts';
import { reasonOf } from '../transport/reason.ts';
import { askServer } from './ask-server.ts';
import { decodeFlagFile } from './decode-flag-file.ts';
import { counted } from './printable.ts';
import { addServerOptions, checkServerOptions, type ServerOptions } from './server-options.ts';

const EXAMPLE = `
FILE is JSON: a Flagent export {"flags": […]}, a snapshot, or a bare list of flags; "-" reads standard input.
Loading the same file again changes nothing.

Examples:
  flagent-offline load flags.json
  curl -s http://localhost:18001/api/v1/export/eval_cache/json | flagent-offline load -`;

export function addLoadVerb(program: Command): void {
  const load = program
    .command('load')
    .description('Load flags from a file into the server.')
    .argument('<file>', 'the file, or - for standard input');
  addServerOptions(load)
    .option('--json', 'print the counts as one line of JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (file: string, options: ServerOptions & { readonly json?: true }) => {
      const server = checkServerOptions(options);
      const flags = decodeFlagFile(await readText(file), file === '-' ? 'standard input' : file);
      const answer = await askServer(server, { method: 'POST', path: '/api/v1/import', body: { flags } });
      const counts = readCounts(answer);
      const words = `${counted(flags.length, 'flag')}: ${counts.added} added, ${counts.changed} changed, ${counts.unchanged} unchanged`;
      console.log(options.json ? JSON.stringify(counts) : words);
    });
}

async function readText(file: string): Promise<string> {
  try {
    return (file === '-' ? await buffer(process.stdin) : await readFile(file)).toString('utf8');
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const message = isMissing
      ? `There is no file ${file}. Check its name, or use - for standard input.`
      : `Cannot read ${file}: ${reasonOf(cause)}.`;
    throw new FlagError(isMissing ? 'not_found' : 'environment', message, { cause });
  }
}

interface Counts {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

function readCounts(answer: unknown): Counts {
  const json = readObject(answer, 'import');
  return {
    added: readCount(json.added, 'import.added'),
    changed: readCount(json.changed, 'import.changed'),
    unchanged: readCount(json.unchanged, 'import.unchanged'),
  };
}
