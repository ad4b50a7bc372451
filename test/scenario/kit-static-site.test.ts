/** The static site keeps its origin over a stop, gives each file its type, and never leaves its folders. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StaticSite, startStaticSite } from '../kit/static-site.ts';

let folder: string;
let site: StaticSite;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flagent-site-'));
  writeFileSync(join(folder, 'index.html'), '<p>hello');
  writeFileSync(join(folder, 'main.js'), 'export {};');
  site = await startStaticSite({ folders: [folder], headers: { 'Service-Worker-Allowed': '/' } });
});

afterEach(async () => {
  await site.stop();
  rmSync(folder, { recursive: true });
});

test('a folder is its index.html, and every answer has the wished headers', async () => {
  const answer = await fetch(`${site.url}/`);
  expect(await answer.text()).toBe('<p>hello');
  expect(answer.headers.get('Service-Worker-Allowed')).toBe('/');
});

test.each([
  { path: '/index.html', type: 'text/html; charset=utf-8' },
  { path: '/main.js', type: 'text/javascript; charset=utf-8' },
])('$path is served as $type', async ({ path, type }) => {
  expect((await fetch(site.url + path)).headers.get('Content-Type')).toBe(type);
});

test('a missing file is a 404, and is remembered as asked for', async () => {
  expect((await fetch(`${site.url}/no.js`)).status).toBe(404);
  expect(site.requests).toEqual(['/no.js']);
});

test('a path that climbs out of the folders is a 404', async () => {
  const { port } = new URL(site.url);
  // fetch would tidy the path up before it asks.
  const status = await new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/..%2f..%2fetc/passwd' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', reject).end();
  });
  expect(status).toBe(404);
});

test('a stopped site refuses connections, and comes back under the same origin', async () => {
  await site.stop();
  await expect(fetch(site.url)).rejects.toThrow();
  await site.start();
  expect((await fetch(site.url)).status).toBe(200);
});
