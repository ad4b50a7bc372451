/** The parts of a service worker against the few lines of its global that they use. What only a browser can show is in test/browser. */
import { expect, test, vi } from 'vitest';
import { followUpdates } from '../../src/service-worker/follow-updates.ts';
import { keepShell, type ShellOptions } from '../../src/service-worker/keep-shell.ts';
import { type PassStreamOptions, passStream } from '../../src/service-worker/pass-stream.ts';

// Workbox writes its switch for logs to `self` when it is loaded.
vi.hoisted(() => vi.stubGlobal('self', globalThis));

function fakeScope() {
  return Object.assign(new EventTarget(), {
    skipWaiting: vi.fn(async () => {}),
    clients: { claim: vi.fn(async () => {}) },
    registration: { scope: 'https://app.example/' },
  });
}

/** The event, and whether a listener added later still hears it. */
function dispatch(
  scope: EventTarget,
  type: string,
  facts: object = {},
): { waited: unknown[]; wasPassedOn: boolean } {
  const waited: unknown[] = [];
  let wasPassedOn = false;
  scope.addEventListener(type, () => (wasPassedOn = true), { once: true });
  scope.dispatchEvent(
    Object.assign(new Event(type), { waitUntil: (promise: unknown) => waited.push(promise), ...facts }),
  );
  return { waited, wasPassedOn };
}

const URL_OF_SERVER = 'https://flags.example/base';

test.each([
  ['the stream', 'https://flags.example/base/api/v1/events/stream?tag=web', false],
  ['a snapshot', 'https://flags.example/base/api/v1/snapshot', false],
  ['the stream of a stock server', 'https://flags.example/base/realtime/sse', false],
  ['another path of the same host', 'https://flags.example/base/pictures/api/v1/', true],
  ['the same path outside the base', 'https://flags.example/api/v1/flags', true],
  ['the same path on another host', 'https://app.example/base/api/v1/flags', true],
  ['a host that only begins alike', 'https://flags.example.evil/base/api/v1/flags', true],
])('passStream keeps other listeners from %s: %s', (_, url, wasPassedOn) => {
  const scope = fakeScope();
  passStream(scope, { url: URL_OF_SERVER });
  expect(dispatch(scope, 'fetch', { request: { url } }).wasPassedOn).toBe(wasPassedOn);
});

test('passStream adds a static route for each path, with pattern signs taken literally', () => {
  const scope = fakeScope();
  const addRoutes = vi.fn(async () => {});
  passStream(scope, { url: 'http://127.0.0.1:8080/a(b)/', paths: ['/api/v1/'] });
  dispatch(scope, 'install', { addRoutes });
  const urlPattern = {
    protocol: 'http',
    hostname: '127.0.0.1',
    port: '8080',
    pathname: '/a\\(b\\)/api/v1/*',
  };
  expect(addRoutes).toHaveBeenCalledWith([{ condition: { urlPattern }, source: 'network' }]);
});

test('a browser that refuses static routes installs the service worker all the same', async () => {
  const scope = fakeScope();
  passStream(scope, { url: URL_OF_SERVER });
  const { waited } = dispatch(scope, 'install', { addRoutes: () => Promise.reject(new TypeError('no')) });
  await expect(Promise.all(waited)).resolves.toBeDefined();
});

test('followUpdates answers and takes over when asked, and not for any other message', () => {
  const scope = fakeScope();
  followUpdates(scope);
  const port = { postMessage: vi.fn() };
  for (const data of [null, 'SKIP_WAITING', { type: 'CACHE_URLS' }])
    dispatch(scope, 'message', { data, ports: [port] });
  expect(scope.skipWaiting).not.toHaveBeenCalled();
  dispatch(scope, 'message', { data: { type: 'SKIP_WAITING' }, ports: [port] });
  expect(scope.skipWaiting).toHaveBeenCalledTimes(1);
  expect(port.postMessage.mock.calls).toEqual([[{ ok: true }]]);
});

test('followUpdates claims the open tabs when it becomes active', () => {
  const scope = fakeScope();
  followUpdates(scope);
  dispatch(scope, 'activate');
  expect(scope.clients.claim).toHaveBeenCalledTimes(1);
});

test.each<[string, PassStreamOptions]>([
  ['a relative url', { url: '/flags' }],
  ['a socket url', { url: 'wss://flags.example' }],
  ['a path without a slash', { url: URL_OF_SERVER, paths: ['api'] }],
])('passStream refuses %s at once', (_, options) => {
  expect(() => passStream(fakeScope(), options)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
});

test.each<[string, unknown]>([
  ['a list that the build did not put in', { precache: undefined }],
  ['a file without a revision', { precache: [{ url: 'index.html' }] }],
  ['a fallback that is not kept', { precache: [{ url: 'app.html', revision: '1' }] }],
])('keepShell refuses %s at once', (_, options) => {
  vi.stubGlobal('location', { href: 'https://app.example/sw.js' });
  expect(() => keepShell(fakeScope(), options as ShellOptions)).toThrow(
    expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(/^keepShell: /) }),
  );
});
