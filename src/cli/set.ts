/** `set KEY --enabled|--disabled`: switches one flag. */
import { type Command, Option } from 'commander';
import { readFlag } from '../core/protocol/decode-flag.ts';
import { askFlag, askServer } from './ask-server.ts';
import { printable } from './printable.ts';
import { addServerOptions, checkServerOptions, type ServerOptions } from './server-options.ts';

interface SetOptions extends ServerOptions {
  readonly enabled?: true;
  readonly disabled?: true;
  readonly json?: true;
}

export function addSetVerb(program: Command): void {
  const set = program
    .command('set')
    .description('Switch one flag on or off.')
    .argument('<key>', 'key of the flag')
    .addOption(new Option('--enabled', 'switch it on').conflicts('disabled'))
    .addOption(new Option('--disabled', 'switch it off'));
  addServerOptions(set)
    .option('--json', 'print the flag afterwards as one line of JSON')
    .addHelpText('after', '\nExample:\n  flagent-offline set new_payment_flow --enabled')
    .action(async (key: string, options: SetOptions) => {
      const enabled = options.enabled === true;
      if (!enabled && !options.disabled) set.error('error: say --enabled or --disabled.');
      await setEnabled(key, enabled, options);
    });
}

async function setEnabled(key: string, enabled: boolean, options: SetOptions): Promise<void> {
  const server = checkServerOptions(options);
  const before = await askFlag(server, key);
  // A server leaves a flag that is already so as it is; asking it anyway also checks that the token may.
  const path = `/api/v1/flags/${before.id}/enabled`;
  const after = readFlag(await askServer(server, { method: 'PUT', path, body: { enabled } }), 'flag');
  const state = after.enabled ? 'enabled' : 'disabled';
  const words = before.enabled === after.enabled ? `was ${state} already` : `is now ${state}`;
  console.log(options.json ? JSON.stringify(after) : `${printable(key)} ${words}`);
}
