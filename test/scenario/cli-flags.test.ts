/** `load`, `get` and `set` against a real `serve`. */
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { importFlags, runCli, serveCli, temporaryFolder } from './cli-kit.ts';

const PAY = {
  id: 7,
  key: 'pay',
  description: 'New payment',
  enabled: true,
  tags: [{ id: 1, value: 'web' }],
  variants: [
    { id: 3, key: 'control' },
    { id: 4, key: 'treatment' },
  ],
  segments: [
    {
      id: 5,
      description: 'all',
      rank: 0,
      rolloutPercent: 100,
      constraints: [],
      distributions: [{ id: 6, variantID: 4, variantKey: 'treatment', percent: 100 }],
    },
  ],
};
const OLD = { id: 8, key: 'old', enabled: false };

/** The same in the spelling of Flagent's export. */
const EXPORT = {
  flags: [
    {
      ...PAY,
      snapshotId: 12,
      segments: PAY.segments.map(({ distributions, ...segment }) => ({
        ...segment,
        flagId: 7,
        distributions: distributions.map(({ variantID, ...rest }) => ({
          ...rest,
          segmentId: 5,
          variantId: variantID,
        })),
      })),
    },
    OLD,
  ],
};

function file(name: string, json: unknown): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, typeof json === 'string' ? json : JSON.stringify(json));
  return path;
}

test('loads a file once; the second time nothing changes', async () => {
  const { url } = await serveCli();
  const path = file('flags.json', [PAY, OLD]);
  const load = async () => (await runCli(['load', path, '--url', url])).stdout;
  expect(await load()).toBe('2 flags: 2 added, 0 changed, 0 unchanged');
  expect(await load()).toBe('2 flags: 0 added, 0 changed, 2 unchanged');
  const edited = file('edited.json', [
    { ...PAY, description: 'Newer' },
    { ...OLD, id: 9, key: 'newest' },
  ]);
  const { stdout } = await runCli(['load', edited, '--url', url, '--json']);
  expect(JSON.parse(stdout)).toEqual({ added: 1, changed: 1, unchanged: 0 });
});

test('an export, a snapshot and a list are the same flags', async () => {
  const { url } = await serveCli();
  const forms = [EXPORT, { epoch: 'e', revision: 3, flags: [PAY, OLD] }, [PAY, OLD]];
  const counts: unknown[] = [];
  for (const stdin of forms.map((form) => JSON.stringify(form))) {
    const { stdout } = await runCli(['load', '-', '--url', url, '--json'], { stdin });
    counts.push(JSON.parse(stdout));
  }
  const again = { added: 0, changed: 0, unchanged: 2 };
  expect(counts).toEqual([{ added: 2, changed: 0, unchanged: 0 }, again, again]);
});

test('loads back what the server exports', async () => {
  const { url } = await serveCli();
  await importFlags(url, [PAY, OLD]);
  const stdin = await (await fetch(`${url}/api/v1/export/eval_cache/json`)).text();
  const { stdout } = await runCli(['load', '-', '--url', url, '--json'], { stdin });
  expect(JSON.parse(stdout)).toEqual({ added: 0, changed: 0, unchanged: 2 });
});

test('a wrong file is refused with its name and path, and nothing is sent', async () => {
  const path = file('bad.json', [PAY, { ...OLD, enabled: 'no' }]);
  const { code, stdout, stderr } = await runCli(['load', path, '--url', 'http://127.0.0.1:1']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(`error: ${path}: flags[1].enabled must be true or false, but is "no".`);
});

test('a file that is not there is not found', async () => {
  const { code, stderr } = await runCli(['load', '/nowhere/flags.json']);
  expect({ code, stderr }).toEqual({
    code: 3,
    stderr: 'error: There is no file /nowhere/flags.json. Check its name, or use - for standard input.',
  });
});

test('get prints a flag for people and for programs', async () => {
  const { url } = await serveCli();
  await importFlags(url, [PAY]);
  const human = await runCli(['get', 'pay'], { env: { FLAGENT_URL: `${url}/` } });
  expect(human).toMatchObject({ code: 0, stderr: '' });
  expect(human.stdout).toMatch(/^flag +pay \(id 7\)\nstate +enabled\n/);
  const json = await runCli(['get', 'pay', '--json', '--url', url]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    id: 7,
    key: 'pay',
    segments: [{ id: 5 }],
    variants: [{ id: 3 }, { id: 4 }],
  });
});

test('a flag that is not there is not found', async () => {
  const { url } = await serveCli();
  const { code, stderr } = await runCli(['get', 'a/b?c', '--url', url]);
  expect(code).toBe(3);
  expect(stderr).toBe(
    `error: There is no flag "a/b?c" at ${url}. Check the key, and that the address is the right environment.`,
  );
});

test('set switches a flag, and says when there was nothing to do', async () => {
  const { url } = await serveCli();
  await importFlags(url, [OLD]);
  const set = async (...args: string[]) => runCli(['set', 'old', '--url', url, ...args]);
  expect(await set('--enabled')).toEqual({ code: 0, stdout: 'old is now enabled', stderr: '' });
  expect(await set('--enabled')).toEqual({ code: 0, stdout: 'old was enabled already', stderr: '' });
  expect(await set('--disabled')).toEqual({ code: 0, stdout: 'old is now disabled', stderr: '' });
  expect(JSON.parse((await set('--enabled', '--json')).stdout)).toMatchObject({ key: 'old', enabled: true });
  expect((await runCli(['set', 'new', '--enabled', '--url', url])).code).toBe(3);
});

test('tokens decide who may read and who may edit', async () => {
  const { url } = await serveCli(['--read-token', 'reader', '--write-token', 'writer']);
  const as = (token: string, ...args: string[]) =>
    runCli([...args, '--url', url], { stdin: JSON.stringify([OLD]), env: { FLAGENT_TOKEN: token } });
  expect(await as('writer', 'load', '-')).toMatchObject({ code: 0 });
  expect(await as('reader', 'get', 'old')).toMatchObject({ code: 0 });
  const refusals = [
    await as('reader', 'set', 'old', '--enabled'),
    await as('reader', 'load', '-'),
    await as('nobody', 'get', 'old'),
    await as('', 'get', 'old'),
    await as('nobody', 'watch'),
  ];
  for (const { code, stderr } of refusals) {
    expect(code).toBe(4);
    expect(stderr).toMatch(/^(connecting .*\n)?error: .* answers 40[13]: .*--token or FLAGENT_TOKEN\.$/);
    expect(stderr).not.toMatch(/reader|nobody/);
  }
});

async function otherServer(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each<[string, RequestListener, number, RegExp]>([
  ['a web page', (_, response) => response.end('<p>Sign in'), 1, /is not JSON/],
  [
    'a 500',
    (_, response) => response.writeHead(500).end('{"error":"The disk is full."}'),
    1,
    /answers 500: The disk is full\./,
  ],
  ['a 404', (_, response) => response.writeHead(404).end(), 3, /answers 404: .*--url/],
  [
    'a flag that merely begins alike',
    (_, response) => response.end('[{"id":1,"key":"ab","enabled":true}]'),
    3,
    /no flag "a"/,
  ],
  ['a list of something else', (_, response) => response.end('[{"name":"x"}]'), 1, /flags\[0\]\.id must be/],
  [
    'control characters',
    (_, response) => response.writeHead(400).end('{"error":"a\\u001b[2J\\nb"}'),
    1,
    /: a\\u\{1b\}\[2J b$/,
  ],
  ['a cut', (request) => request.socket.resetAndDestroy(), 1, /Cannot reach http.*flagent-offline serve/],
])('a server that answers with %s gives one clear line', async (_, answer, code, message) => {
  const result = await runCli(['get', 'a', '--url', await otherServer(answer)]);
  expect(result).toMatchObject({ code, stdout: '' });
  expect(result.stderr).toMatch(/^error: .*$/);
  expect(result.stderr).toMatch(message);
});
