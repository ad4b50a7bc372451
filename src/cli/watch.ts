/** `watch`: prints every change as it happens, across cuts and restarts of the server. */
import { type Command, Option } from 'commander';
import { DEFAULT_POLICY } from '../core/connection/policy.ts';
import type { FlagFilter } from '../core/model.ts';
import type { ConnectionStatus } from '../core/state/status.ts';
import { createSystem, type System } from '../system/system.ts';
import type { Trace } from '../system/trace.ts';
import { createSseTransport } from '../transport/sse.ts';
import { connectionLine, traceJson, traceLine } from './connection-lines.ts';
import { followFlags } from './follow-flags.ts';
import { addServerOptions, checkServerOptions, collect, type ServerOptions } from './server-options.ts';
import { stopSignal } from './stop-signal.ts';
import { traceTransport } from './trace-transport.ts';
import { humanLines, jsonLines } from './watch-lines.ts';

interface WatchOptions extends ServerOptions {
  readonly key?: readonly string[];
  readonly tag?: readonly string[];
  readonly json?: true;
  readonly trace?: true;
}

const EXAMPLE = `
Prints one line for the snapshot, then one for each change: time, revision, key, what happened.
Connection news goes to standard error. Ends with Ctrl-C.
With --trace it tells all that happens to the connection, and why; with --json too, as lines of the type TRACE among the others.

Examples:
  flagent-offline watch --tag web
  flagent-offline watch --trace
  flagent-offline watch --json | jq -r .flagKey`;

export function addWatchVerb(program: Command): void {
  const watch = program.command('watch').description('Print changes as they happen.');
  addServerOptions(watch)
    .addOption(new Option('--key <key>', 'only this flag; may be given several times').argParser(collect))
    .addOption(
      new Option('--tag <tag>', 'only flags with this tag; may be given several times').argParser(collect),
    )
    .option('--json', 'print one JSON object per line')
    .option('--trace', 'tell what the connection does and why: attempts, delays, silence, heartbeats, gaps')
    .addHelpText('after', EXAMPLE)
    .action(watchFlags);
}

async function watchFlags(options: WatchOptions): Promise<void> {
  const { url, token } = checkServerOptions(options);
  const system = createSystem();
  const linesOf = options.json ? jsonLines : humanLines;
  const trace: Trace = (by, what, facts) => {
    const entry = { atMs: system.nowMs(), by, what, ...(facts && { facts }) };
    if (options.trace && options.json) console.log(traceJson(entry));
    else if (options.trace) console.error(traceLine(entry));
  };
  let isFirst = true;
  await followFlags({
    transport: traceTransport(createSseTransport({ fetch, system }), system, trace),
    system,
    policy: DEFAULT_POLICY,
    request: { url, accessToken: token, filter: filterOf(options), signal: stopSignal() },
    onReduced(reduced, message) {
      for (const line of linesOf(reduced, message, { nowMs: system.nowMs(), isFirst })) console.log(line);
      isFirst = false;
    },
    onStatus: options.trace ? () => {} : createTeller(url, system),
    trace,
  });
}

/** Says each state of the connection once, for people. */
export function createTeller(url: string, system: Pick<System, 'nowMs'>): (status: ConnectionStatus) => void {
  let said: string | undefined;
  return (status) => {
    const line = connectionLine(status, url, system.nowMs());
    if (line !== undefined && line !== said) console.error(line);
    said = line;
  };
}

function filterOf({ key: flagKeys = [], tag: tags = [] }: WatchOptions): FlagFilter | undefined {
  if (flagKeys.length + tags.length === 0) return undefined;
  return { ...(flagKeys.length > 0 && { flagKeys }), ...(tags.length > 0 && { tags }) };
}
