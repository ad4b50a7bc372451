/** `watch`: prints every change as it happens, across cuts and restarts of the server. */
import { type Command, Option } from 'commander';
import { DEFAULT_POLICY } from '../core/connection/policy.ts';
import type { FlagFilter } from '../core/model.ts';
import { createSystem } from '../system/system.ts';
import { createSseTransport } from '../transport/sse.ts';
import { followStream } from './follow-stream.ts';
import { oneLine } from './printable.ts';
import { addServerOptions, checkServerOptions, collect, type ServerOptions } from './server-options.ts';
import { stopSignal } from './stop-signal.ts';
import { humanLines, jsonLines } from './watch-lines.ts';

interface WatchOptions extends ServerOptions {
  readonly key?: readonly string[];
  readonly tag?: readonly string[];
  readonly json?: true;
}

const EXAMPLE = `
Prints one line for the snapshot, then one for each change: time, revision, key, what happened.
Connection news goes to standard error. Ends with Ctrl-C.

Examples:
  flagent-offline watch --tag web
  flagent-offline watch --json | jq -r .flagKey`;

export function addWatchVerb(program: Command): void {
  const watch = program.command('watch').description('Print changes as they happen.');
  addServerOptions(watch)
    .addOption(new Option('--key <key>', 'only this flag; may be given several times').argParser(collect))
    .addOption(
      new Option('--tag <tag>', 'only flags with this tag; may be given several times').argParser(collect),
    )
    .option('--json', 'print one JSON object per line')
    .addHelpText('after', EXAMPLE)
    .action(watchFlags);
}

async function watchFlags(options: WatchOptions): Promise<void> {
  const { url, token } = checkServerOptions(options);
  const system = createSystem();
  const linesOf = options.json ? jsonLines : humanLines;
  let isFirst = true;
  await followStream({
    transport: createSseTransport({ fetch, system }),
    system,
    policy: DEFAULT_POLICY,
    request: { url, accessToken: token, filter: filterOf(options), signal: stopSignal() },
    onReduced(reduced, message) {
      for (const line of linesOf(reduced, message, { nowMs: system.nowMs(), isFirst })) console.log(line);
      isFirst = false;
    },
    onConnection: (words) => console.error(oneLine(words)),
  });
}

function filterOf({ key: flagKeys = [], tag: tags = [] }: WatchOptions): FlagFilter | undefined {
  if (flagKeys.length + tags.length === 0) return undefined;
  return { ...(flagKeys.length > 0 && { flagKeys }), ...(tags.length > 0 && { tags }) };
}
