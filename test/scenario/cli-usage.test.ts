/** What the command line says about itself, and how it refuses wrong usage. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from './cli-kit.ts';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));

test('--version prints the version of the package', async () => {
  expect(await runCli(['--version'])).toEqual({ code: 0, stdout: version, stderr: '' });
});

test('--help lists the verbs and the exit codes', async () => {
  const { code, stdout } = await runCli(['--help']);
  expect(code).toBe(0);
  for (const verb of ['serve', 'watch', 'get', 'set', 'load', 'types'])
    expect(stdout).toContain(`\n  ${verb}`);
  expect(stdout).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n {2}4 /);
});

test.each(['serve', 'watch', 'get', 'set', 'load', 'types'])('%s --help shows an example', async (verb) => {
  const { code, stdout } = await runCli([verb, '--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`Examples?:\n(.*\n)*?.*flagent-offline ${verb}`));
});

test('the help never shows the value of a token', async () => {
  const env = { FLAGENT_TOKEN: 'hush1', FLAGENT_WRITE_TOKENS: 'hush2' };
  for (const verb of ['get', 'serve']) {
    expect((await runCli([verb, '--help'], { env })).stdout).not.toContain('hush');
  }
});

test.each([
  ['no verb', [], /Usage/],
  ['an unknown verb', ['fly'], /unknown command 'fly'/],
  ['an unknown option', ['get', 'a', '--prot', '1'], /unknown option '--prot'/],
  ['a missing key', ['get'], /missing required argument 'key'/],
  ['a key too many', ['get', 'a', 'b'], /too many arguments/],
  ['a port that is none', ['serve', '--port', '99999'], /from 0 to 65535/],
  ['a WebSocket port that is none', ['serve', '--ws-port', 'x'], /--ws-port.*from 0 to 65535/],
  ['a WebSocket path below REST', ['serve', '--ws-path', '/api/x'], /--ws-path.*outside of \/api\//],
  ['an origin with a path', ['serve', '--db', ':memory:', '--allow-origin', 'http://a/b'], /http:\/\/a\/b/],
  ['an address that is none', ['get', 'a', '--url', 'localhost'], /--url .* absolute/],
  ['an address of another protocol', ['get', 'a', '--url', 'ftp://a'], /--url .* http/],
  ['an address with a password', ['watch', '--url', 'http://u:secret@a'], /--token/],
  ['an address with a query', ['get', 'a', '--url', 'http://a?token=secret'], /without "\?"/],
  ['a switch without a direction', ['set', 'a'], /--enabled or --disabled/],
  ['a switch in both directions', ['set', 'a', '--enabled', '--disabled'], /cannot be used with/],
])('%s is wrong usage', async (_, args, message) => {
  const { code, stdout, stderr } = await runCli(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/secret|\n {4}at /);
});

test('an error is one line that says how to get help', async () => {
  const { stderr } = await runCli(['serve', '--prt', '1']);
  expect(stderr).toBe("error: unknown option '--prt' (Did you mean --port?) Run it with --help for usage.");
});

test('a wrong value in a variable names the variable', async () => {
  const { code, stderr } = await runCli(['serve'], { env: { FLAGENT_PORT: 'x' } });
  expect(code).toBe(2);
  expect(stderr).toMatch(/FLAGENT_PORT/);
});

test('a token that no header can carry is refused without repeating it', async () => {
  const { code, stderr } = await runCli(['get', 'a'], { env: { FLAGENT_TOKEN: 'my secret' } });
  expect(code).toBe(4);
  expect(stderr).not.toContain('secret');
});
