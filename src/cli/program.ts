/** The verbs in one program, and how anything that goes wrong becomes one line and an exit code. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { readObject, readString } from '../core/protocol/read.ts';
import { EXIT, EXIT_TABLE, exitCodeOf } from './exit-code.ts';
import { addGetVerb } from './get.ts';
import { addLoadVerb } from './load.ts';
import { oneLine } from './printable.ts';
import { addServeVerb } from './serve.ts';
import { addSetVerb } from './set.ts';
import { addTypesVerb } from './types.ts';
import { addWatchVerb } from './watch.ts';

/** `argv` as Node gives it. Settles with the exit code when the verb has done its work; never rejects. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...argv]);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.wrongUsage;
    console.error(`error: ${oneLine(error instanceof Error ? error.message : String(error))}`);
    if (process.env.FLAGENT_DEBUG) console.error(error);
    return exitCodeOf(error);
  }
}

function createProgram(): Command {
  const program = new Command('flagent-offline')
    .description('Feature flags that are always there: a flag server, and a few words to talk to it.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`${oneLine(text)} Run it with --help for usage.\n`),
    })
    .addHelpText('after', `\n${EXIT_TABLE}`);
  addServeVerb(program);
  addWatchVerb(program);
  addGetVerb(program);
  addSetVerb(program);
  addLoadVerb(program);
  addTypesVerb(program);
  return program;
}

/** By the package's own name, so that it is found from the sources and from the built file alike. */
function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('flagent-offline/package.json');
  return readString(readObject(manifest, 'package.json').version, 'package.json.version');
}
