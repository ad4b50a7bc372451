/** `npm run demo`: starts the demo, prints the address to open, and ends with Ctrl-C. Option: `--port 4173`. */
import { parseArgs } from 'node:util';
import { startDemo } from './start.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '4173' } } });
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`--port must be a number from 0 to 65535, but is ${values.port}.`);
  process.exit(2);
}

const demo = await startDemo({ port });
const actualPort = Number(new URL(demo.url).port);
if (port !== 0 && actualPort !== port) console.log(`Port ${port} is taken; using ${actualPort}.`);
console.log(`
  Open  ${demo.url}

  Toggle a flag, open a second tab, cut the network, reload, restore it.
  The flag server is ${demo.flagServerUrl}; Ctrl-C ends everything.
`);

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    demo.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
