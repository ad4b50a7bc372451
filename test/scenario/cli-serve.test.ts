/** `serve` as a process: how it starts, says where it is, refuses to start, and ends. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importFlags, runCli, serveCli, startCli, temporaryFolder } from './cli-kit.ts';

test('prints one line of JSON that says where it listens and what it holds', async () => {
  const server = await serveCli();
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  expect(server.start).toEqual({ db: ':memory:', epoch: expect.any(String), revision: 0, flags: 0 });
  expect((await fetch(`${server.url}/api/v1/health`)).status).toBe(200);
  server.kill('SIGTERM');
  expect(await server.exit).toBe(0);
  expect(server.unread.stdout).toEqual([]);
});

test('says where its WebSocket is, and takes its settings from options and variables', async () => {
  const plain = await serveCli();
  expect(plain.webSocket).toBe(`${plain.url.replace('http', 'ws')}/ws`);
  const env = { FLAGENT_WS_PATH: '/live', FLAGENT_WS_MAX_CONNECTIONS: '1' };
  const own = await serveCli(['--ws-port', '0', '--ws-path', '/flags'], { env });
  const { origin, pathname } = new URL(own.webSocket ?? '');
  expect([pathname, origin === own.url.replace('http', 'ws')]).toEqual(['/flags', false]);
  const socket = new WebSocket(own.webSocket ?? '', ['flagent.v1']);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  expect((await fetch(own.webSocket?.replace('ws', 'http') ?? '')).status).toBe(503);
  socket.close();
  expect((await serveCli(['--ws-enabled', 'false'])).webSocket).toBeUndefined();
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s says goodbye to a live stream and ends with 0',
  async (signal) => {
    const server = await serveCli();
    const watch = startCli(['watch', '--url', server.url]);
    await watch.nextLine();
    server.kill(signal);
    expect(await server.exit).toBe(0);
    await watch.nextError(/^not connected/);
  },
);

test('a second process on the same port is told so', async () => {
  const { url } = await serveCli();
  const { port } = new URL(url);
  const { code, stdout, stderr } = await runCli(['serve', '--db', ':memory:', '--port', port]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(new RegExp(`^error: .*${port}.*another port.*$`));
});

test('a file that is no flag database is refused and left as it is', async () => {
  const file = join(temporaryFolder(), 'notes.txt');
  writeFileSync(file, 'not a database, but somebody else’s notes');
  const { code, stderr } = await runCli(['serve', '--port', '0', '--db', file]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: .*notes\.txt/);
  expect(stderr).not.toContain('\n');
  expect(readFileSync(file, 'utf8')).toBe('not a database, but somebody else’s notes');
});

test('takes its settings from variables', async () => {
  const db = join(temporaryFolder(), 'flags.db');
  const env = {
    FLAGENT_PORT: '0',
    FLAGENT_HOST: 'localhost',
    FLAGENT_DB: db,
    FLAGENT_READ_TOKENS: 'reader1,reader2',
    FLAGENT_ALLOW_ORIGINS: 'http://a.test, http://b.test',
  };
  const server = startCli(['serve'], { env });
  const { listening, db: shown } = JSON.parse(await server.nextLine());
  expect(shown).toBe(db);
  expect(new URL(listening).hostname).toBe('localhost');
  const statusFor = async (token: string) =>
    (await fetch(`${listening}/api/v1/flags`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await statusFor('reader1'), await statusFor('reader2'), await statusFor('reader')]).toEqual([
    200, 200, 401,
  ]);
  const preflight = await fetch(`${listening}/api/v1/flags`, { headers: { origin: 'http://b.test' } });
  expect(preflight.headers.get('access-control-allow-origin')).toBe('http://b.test');
});

test('an option wins over its variable', async () => {
  const server = await serveCli(['--read-token', 'from-option'], {
    env: { FLAGENT_READ_TOKENS: 'from-variable' },
  });
  const statusFor = async (token: string) =>
    (await fetch(`${server.url}/api/v1/flags`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await statusFor('from-option'), await statusFor('from-variable')]).toEqual([200, 401]);
});

test('keeps flags, epoch and revision in its file', async () => {
  const db = join(temporaryFolder(), 'flags.db');
  const first = await serveCli(['--db', db]);
  await importFlags(first.url, [
    { id: 1, key: 'a', enabled: true },
    { id: 2, key: 'archived', enabled: true },
  ]);
  await fetch(`${first.url}/api/v1/flags/2`, { method: 'DELETE' });
  first.kill('SIGKILL');
  await first.exit;
  const second = await serveCli(['--db', db]);
  expect(second.start).toEqual({ db, epoch: first.start.epoch, revision: 3, flags: 1 });
});
