/** `watch` as a process, beside a real `serve` that comes and goes. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importFlags, type ServedCli, serveCli, startCli, switchFlag, temporaryFolder } from './cli-kit.ts';

const FLAGS = [
  { id: 1, key: 'a', enabled: false, tags: ['web'] },
  { id: 2, key: 'b', enabled: true },
];

async function serveFlags(...args: string[]): Promise<ServedCli> {
  const server = await serveCli(args);
  await importFlags(server.url, FLAGS);
  return server;
}

const withoutTime = (line: string) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}/, '');

test('prints the snapshot, then every change, and ends with 0 on Ctrl-C', async () => {
  const { url } = await serveFlags();
  const watch = startCli(['watch', '--url', url]);
  expect(withoutTime(await watch.nextLine())).toBe('2  snapshot: 2 flags, 1 of them enabled');
  await switchFlag(url, 1, 'enabled');
  expect(withoutTime(await watch.nextLine())).toBe('3  a  enabled');
  await switchFlag(url, 2, 'disabled');
  expect(withoutTime(await watch.nextLine())).toBe('4  b  disabled');
  watch.kill('SIGINT');
  expect(await watch.exit).toBe(0);
  expect(watch.unread).toEqual({ stdout: [], stderr: [`connecting to ${url}`, 'live'] });
});

test('prints JSON that programs can follow', async () => {
  const { url } = await serveFlags();
  const watch = startCli(['watch', '--json', '--url', url]);
  expect(JSON.parse(await watch.nextLine())).toMatchObject({ type: 'SNAPSHOT', revision: 2, flags: 2 });
  await switchFlag(url, 1, 'enabled');
  expect(JSON.parse(await watch.nextLine())).toMatchObject({
    type: 'FLAG_ENABLED',
    revision: 3,
    flagKey: 'a',
    flag: { key: 'a', enabled: true },
  });
});

test.each([
  ['--key', 'a'],
  ['--tag', 'web'],
])('%s %s leaves other flags out', async (...filter) => {
  const { url } = await serveFlags();
  const watch = startCli(['watch', ...filter, '--url', url]);
  expect(withoutTime(await watch.nextLine())).toBe('2  snapshot: 1 flag, 0 of them enabled');
  await switchFlag(url, 2, 'disabled');
  await switchFlag(url, 1, 'enabled');
  expect(withoutTime(await watch.nextLine())).toBe('4  a  enabled');
});

test('goes on with just the missed changes after the server was killed and came back', async () => {
  const db = join(temporaryFolder(), 'flags.db');
  const first = await serveFlags('--db', db);
  const watch = startCli(['watch', '--url', first.url]);
  await watch.nextLine();
  first.kill('SIGKILL');
  await watch.nextError(/^not connected: .*; next attempt in/);
  await first.exit;
  const second = await serveCli(['--db', db, '--port', new URL(first.url).port]);
  await switchFlag(second.url, 1, 'enabled');
  expect(withoutTime(await watch.nextLine())).toBe('3  a  enabled');
});

test('waits for a server that is not there yet', async () => {
  const gone = await serveCli();
  gone.kill('SIGTERM');
  await gone.exit;
  const watch = startCli(['watch', '--url', gone.url]);
  await watch.nextError(/^not connected: .*ECONNREFUSED.*next attempt in/);
  await serveCli(['--port', new URL(gone.url).port]);
  expect(withoutTime(await watch.nextLine())).toBe('0  snapshot: 0 flags, 0 of them enabled');
});

test('ends with 0 when its reader has seen enough', async () => {
  const { url } = await serveFlags();
  const watch = startCli(['watch', '--url', url]);
  await watch.nextLine();
  watch.child.stdout?.destroy();
  await switchFlag(url, 1, 'enabled');
  expect(await watch.exit).toBe(0);
});
