/** What a stranger gets: the packed package in an empty vite application without a config works in a real browser, in dev and built. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FlagClient } from '../../src/index.ts';
import { type Browser, launchBrowser } from '../kit/engines.ts';
import { type FlagServer, startFlagServer } from '../kit/flag-server.ts';
import { buildFlag } from '../kit/flags.ts';
import { createPackedApp, type PackedApp } from '../kit/packed-app.ts';

const FILES = {
  'index.html':
    '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>',
  'main.js': `
    import { createFlagClient } from 'flagent-offline';
    const wishes = new URLSearchParams(location.search);
    window.flags = createFlagClient({ url: wishes.get('server'), host: wishes.get('host') ?? 'auto' });
  `,
  'page.ts': `
    import { createFlagClient, type Flag, type FlagClient } from 'flagent-offline';
    export const client: FlagClient = createFlagClient({ url: 'https://flags.example.com' });
    export const flag: Promise<Flag | undefined> = client.getFlag('new_payment_flow');
    // @ts-expect-error A client without a server makes no sense.
    createFlagClient({});
  `,
  'node.ts': `
    import { createFlagentServer, type FlagentServer } from 'flagent-offline/server';
    import { buildFlag, startFaultProxy, startTestServer } from 'flagent-offline/testing';
    export const server: FlagentServer = createFlagentServer({ database: ':memory:' });
    export const key: string = buildFlag('a').key;
    export const tools = [startFaultProxy, startTestServer];
  `,
  'server.mjs': `
    import { createFlagentServer } from 'flagent-offline/server';
    import { buildFlag, startTestServer } from 'flagent-offline/testing';
    const server = await startTestServer({ flags: [buildFlag('from_tarball')] });
    const snapshot = await (await fetch(server.url + '/api/v1/snapshot')).json();
    console.log(typeof createFlagentServer, snapshot.flags[0].key);
    await server.close();
  `,
};

declare global {
  interface Window {
    /** In the packed application: its client. */
    flags: FlagClient;
  }
}

let app: PackedApp;
let browser: Browser;
let server: FlagServer;

beforeAll(async () => {
  [app, browser, server] = await Promise.all([
    createPackedApp(FILES),
    launchBrowser('chromium'),
    startFlagServer(),
  ]);
});

afterAll(async () => {
  await Promise.all([browser?.close(), server?.close(), app?.remove()]);
});

test.each(['dev', 'preview'] as const)(
  'two tabs of a vite %s server share one worker and one stream',
  async (command) => {
    await server.rest('/import', {
      method: 'POST',
      body: { flags: [buildFlag('new_payment_flow', { id: 7, enabled: true })] },
    });
    if (command === 'preview') await app.vite('build');
    const vite = await app.serve(command);
    try {
      const address = `${vite.url}?server=${encodeURIComponent(server.url)}`;
      const tabs = [await browser.newTab(address), await browser.newTab(address)];
      for (const tab of tabs) {
        const status = await tab.waitFor(
          () => window.flags?.peekFlag('new_payment_flow')?.enabled === true && window.flags.status,
        );
        expect(status).toMatchObject({ host: 'shared-worker', source: 'server', storage: 'persistent' });
      }
      expect(await server.health()).toMatchObject({ streams: 1 });

      await server.rest('/flags/7/enabled', { method: 'PUT', body: { enabled: false } });
      for (const tab of tabs)
        await tab.waitFor(() => window.flags.peekFlag('new_payment_flow')?.enabled === false);
      expect(await server.health()).toMatchObject({ streams: 1 });

      // The hub of a tab is a file that is loaded only when it is needed.
      const inTab = await browser.newTab(`${address}&host=tab`);
      expect(
        await inTab.waitFor(() => window.flags?.status.source === 'server' && window.flags.status),
      ).toMatchObject({
        host: 'follower',
        tabs: 3,
      });
      expect(await server.health()).toMatchObject({ streams: 1 });
      tabs.push(inTab);

      expect(tabs.flatMap((tab) => tab.complaints)).toEqual([]);
      for (const tab of tabs) await tab.close();
      await expect.poll(async () => (await server.health()).streams).toBe(0);
    } finally {
      await vite.stop();
    }
  },
);

test('the worker is a file of its own in a build, also under a relative base', async () => {
  const output = await app.vite('build', '--base', './', '--outDir', 'relative');
  expect(output).toMatch(/relative\/assets\/shared-worker-[\w-]+\.js/);
});

const RESOLUTIONS = [
  { file: 'page.ts', lib: 'es2023,dom', types: '', moduleResolution: 'bundler' },
  { file: 'page.ts', lib: 'es2023,dom', types: '', moduleResolution: 'nodenext' },
  { file: 'node.ts', lib: 'es2023', types: 'node', moduleResolution: 'nodenext' },
];

test.each(RESOLUTIONS)(
  'the types that $file needs are found with moduleResolution $moduleResolution',
  async ({ file, lib, types, moduleResolution }) => {
    const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext';
    const output = await app.node(
      ...['node_modules/typescript/bin/tsc', '--noEmit', '--strict', '--skipLibCheck', 'false'],
      ...['--target', 'es2023', '--lib', lib, '--types', types],
      ...['--module', module, '--moduleResolution', moduleResolution, file],
    );
    expect(output).toBe('');
  },
);

test('the server and testing entries run in Node, and the command is there', async () => {
  expect(await app.node('server.mjs')).toBe('function from_tarball\n');
  expect(await app.node('node_modules/flagent-offline/dist/cli.js', '--version')).toMatch(
    /^\d+\.\d+\.\d+\n$/,
  );
});
