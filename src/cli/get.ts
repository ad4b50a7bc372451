/** `get KEY`: prints one flag. */
import type { Command } from 'commander';
import { askFlag } from './ask-server.ts';
import { describeFlag } from './print-flag.ts';
import { addServerOptions, checkServerOptions, type ServerOptions } from './server-options.ts';

export function addGetVerb(program: Command): void {
  const get = program.command('get').description('Print one flag.').argument('<key>', 'key of the flag');
  addServerOptions(get)
    .option('--json', 'print it as one line of JSON')
    .addHelpText('after', '\nExample:\n  flagent-offline get new_payment_flow --json')
    .action(async (key: string, options: ServerOptions & { readonly json?: true }) => {
      const flag = await askFlag(checkServerOptions(options), key);
      console.log(options.json ? JSON.stringify(flag) : describeFlag(flag));
    });
}
