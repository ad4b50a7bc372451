/** FlagentWebSocketClient and the browser's own WebSocket against the real server: another origin, a token, a server that dies. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EvaluationResult, FlagentWebSocketClient } from '../../src/index.ts';
import type { Browser, Tab } from '../kit/browser.ts';
import { startClientSite } from '../kit/client-site.ts';
import { engine } from '../kit/engine-under-test.ts';
import { type FlagServer, startFlagServer } from '../kit/flag-server.ts';
import { buildFlag } from '../kit/flags.ts';
import type { StaticSite } from '../kit/static-site.ts';

declare global {
  interface Window {
    socketClient: FlagentWebSocketClient;
    /** What its subscriptions have heard, as `key: description`. */
    told: string[];
    /** Tokens that the client has asked for. */
    tokens: string[];
    socket: WebSocket;
    /** The types of the frames that the raw socket has heard, and the code with which it closed. */
    socketNews: (string | number)[];
  }
}

const READ_TOKEN = 'reader~/+==';
const ENTITY = { entityID: 'u', entityContext: { country: 'US' } };

let browser: Browser;
let site: StaticSite;
let server: FlagServer;

beforeAll(async () => {
  [browser, site] = await Promise.all([engine.launch(), startClientSite()]);
  server = await startFlagServer({
    readTokens: [READ_TOKEN],
    writeTokens: ['writer'],
    allowOrigins: [new URL(site.url).origin],
  });
});

afterAll(() => Promise.all([browser.close(), site.stop(), server.close()]));

const edit = (key: string, description: string) =>
  server.rest('/import', {
    method: 'POST',
    body: { flags: [buildFlag(key, { id: key.charCodeAt(0), description })] },
  });

const openTab = async (url = site.url): Promise<Tab> => {
  const tab = await browser.newTab(url);
  await tab.waitFor(() => window.flagentOffline !== undefined);
  return tab;
};

const start = (tab: Tab, url: string, tokens: readonly string[]): Promise<unknown> =>
  tab.evaluate(
    (options) => {
      window.told = [];
      window.tokens = [];
      window.socketClient = new window.flagentOffline.FlagentWebSocketClient({
        url: options.url,
        apiKey: () => {
          const token = options.tokens[Math.min(window.tokens.length, options.tokens.length - 1)] ?? '';
          window.tokens.push(token);
          return token;
        },
      });
      window.socketClient.subscribe('a', (flag) => window.told.push(`a: ${flag?.description}`));
    },
    { url, tokens },
  );

const told = (tab: Tab, line: string) => tab.waitFor((wanted: string) => window.told.at(-1) === wanted, line);

test('a page of another origin hears flags, evaluates, and goes on when the server was killed and is back', async () => {
  await edit('a', 'first');
  const tab = await openTab();
  await start(tab, server.url, ['expired', READ_TOKEN]);
  await told(tab, 'a: first');
  const result = await tab.evaluate(
    (entity) => window.socketClient.evaluate({ flagKey: 'a', ...entity }),
    ENTITY,
  );
  expect(result).toMatchObject({ flagKey: 'a', entityID: 'u', reason: 'MATCH', variantKey: 'on' });
  await edit('a', 'second');
  await told(tab, 'a: second');
  await server.restart('SIGKILL');
  await edit('a', 'third');
  await told(tab, 'a: third');
  expect(await tab.evaluate(() => [window.told, window.tokens[0]])).toEqual([
    ['a: first', 'a: second', 'a: third'],
    'expired',
  ]);
  await tab.evaluate(() => window.socketClient.close());
});

test('an evaluation that is under way when the server dies is answered by the next one', async () => {
  await edit('a', 'here');
  const tab = await openTab();
  await start(tab, server.url, [READ_TOKEN]);
  await told(tab, 'a: here');
  await server.stop('SIGKILL');
  await tab.evaluate((entity) => {
    window.told = [];
    void window.socketClient
      .evaluate({ flagKey: 'a', ...entity }, (result?: EvaluationResult, error?: Error) =>
        window.told.push(result?.variantKey ?? String(error)),
      )
      .catch(() => {});
  }, ENTITY);
  await server.restart();
  await told(tab, 'on');
  await tab.evaluate(() => window.socketClient.close());
});

test('a page learns why it was refused, which the browser does not tell it', async () => {
  const tab = await openTab();
  await start(tab, server.url, ['wrong']);
  const reason = await tab.waitFor(() => {
    const { status } = window.socketClient;
    return status.is === 'waiting' && status.reason;
  });
  expect(reason).toBe('the server answers 401');
  expect(await tab.evaluate(() => window.told)).toEqual([]);
  await tab.evaluate(() => window.socketClient.close());
});

test('a page of an origin that is not allowed gets in neither with the client nor with a socket of its own', async () => {
  const stranger = await startClientSite();
  try {
    const tab = await openTab(stranger.url);
    await start(tab, server.url, [READ_TOKEN]);
    await tab.waitFor(() => window.socketClient.status.is === 'waiting');
    await openRaw(tab);
    await tab.waitFor(() => window.socketNews.length > 0);
    expect(await tab.evaluate(() => [window.told, window.socketNews])).toEqual([[], [1006]]);
    await tab.evaluate(() => window.socketClient.close());
  } finally {
    await stranger.stop();
  }
});

/** The browser's own WebSocket, with nothing of ours around it. */
const openRaw = (tab: Tab): Promise<unknown> =>
  tab.evaluate(
    ({ address, token }) => {
      window.socketNews = [];
      window.socket = new WebSocket(address, ['flagent.v1', `flagent.bearer.${token}`]);
      window.socket.onmessage = ({ data }) => window.socketNews.push(JSON.parse(data).type);
      window.socket.onclose = ({ code }) => window.socketNews.push(code);
      window.socket.onopen = () => window.socket.send('{"type":"subscribe","id":"s","all":true}');
    },
    {
      address: `${server.url.replace('http', 'ws')}/ws`,
      token: Buffer.from(READ_TOKEN).toString('base64url'),
    },
  );

test("the browser's own WebSocket hears flags and the goodbye", async () => {
  await edit('b', 'here');
  const tab = await openTab();
  await openRaw(tab);
  await tab.waitFor(() => window.socketNews.includes('snapshot'));
  await edit('b', 'there');
  await tab.waitFor(() => window.socketNews.includes('flag_updated'));
  expect(await tab.evaluate(() => window.socket.protocol)).toBe('flagent.v1');
  await server.restart();
  await tab.waitFor(() => window.socketNews.includes(1001));
  expect(await tab.evaluate(() => window.socketNews)).toEqual([
    'subscribed',
    'snapshot',
    'flag_updated',
    'bye',
    1001,
  ]);
});
