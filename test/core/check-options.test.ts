import { expect, test } from 'vitest';
import { LIMITS } from '../../src/core/protocol/limits.ts';
import { scopeOf } from '../../src/core/state/scope.ts';
import { checkOptions } from '../../src/page/check-options.ts';
import type { FlagClientOptions } from '../../src/page/flag-client.ts';
import { unmovedWorkerUrl } from '../../src/page/hub-doors.ts';
import { serverUrlOf } from '../../src/system/server-url.ts';

const url = 'https://flags.example.com';

test.each<[unknown, RegExp]>([
  [undefined, /^options must be an object, at least \{ url \}, but is undefined\./],
  [url, /^options must be an object/],
  [{}, /^url must be the absolute http\(s\) address .* but is undefined\.$/],
  [{ url: '/flags' }, /^url must be .* but is "\/flags"/],
  [{ url: 'ws://flags' }, /^url must be/],
  [{ url: 'https://me:secret@flags' }, /^url must be/],
  [{ url: `${url}?token=x` }, /^url must be/],
  [{ url: `${url}#flags` }, /^url must be/],
  [{ url: [url] }, /^url must be/],
  [{ url, namspace: 'prod' }, /^Unknown option namspace\. Known are: url, accessToken/],
  [{ url, namespace: '' }, /^namespace must be a string of 1 to 200 characters/],
  [{ url, namespace: 'n'.repeat(201) }, /^namespace must be/],
  [{ url, namespace: 7 }, /^namespace must be/],
  [{ url, accessToken: 7 }, /^accessToken must be a string or a function .* but is of type number\.$/],
  [{ url, accessToken: { token: 'secret' } }, /but is of type object\.$/],
  [{ url, entity: 'user1' }, /^entity must be an object, but is "user1"/],
  [{ url, worker: '/worker.js' }, /^worker must be an object/],
  [{ url, connection: null }, /^connection must be an object, but is null/],
  [{ url, host: 'worker' }, /^host must be auto, shared-worker or tab, but is "worker"/],
  [{ url, staleAfterMs: -1 }, /^staleAfterMs must be milliseconds from 0, but is -1/],
  [{ url, firstReadTimeoutMs: '5s' }, /^firstReadTimeoutMs must be/],
  [{ url, filter: {} }, /^filter must be an object of lists/],
  [{ url, filter: { tags: [] } }, /^filter must be/],
  [{ url, filter: { tag: ['web'] } }, /^filter must be/],
  [{ url, filter: { flagIDs: ['1'] } }, /^filter must be/],
  [{ url, filter: null }, /^filter must be/],
  [{ url, filter: 'web' }, /^filter must be/],
])('refuses %j with a sentence that says what to do', (options, message) => {
  const check = () => checkOptions(options as never);
  expect(check).toThrow(message);
  expect(check).toThrow(expect.objectContaining({ name: 'FlagError', code: 'invalid_option' }));
});

test('takes what is right, and what is not given', () => {
  const filter = { flagKeys: ['a'], flagIDs: [1], tags: ['web'], segmentsOf: ['b'] };
  const all: FlagClientOptions = {
    url,
    filter,
    accessToken: () => 'token',
    namespace: 'n'.repeat(200),
    entity: {},
    host: 'tab',
    staleAfterMs: Number.POSITIVE_INFINITY,
    firstReadTimeoutMs: 0,
    worker: { url: '/worker.js' },
    connection: {},
  };
  const none = Object.fromEntries(Object.keys(all).map((name) => [name, undefined]));
  expect(() => checkOptions(all)).not.toThrow();
  expect(() => checkOptions({ ...none, url } as never)).not.toThrow();
});

test('a filter may have as many names as the wire takes', () => {
  const named = (count: number) => () => checkOptions({ url, filter: { tags: Array(count).fill('web') } });
  expect(named(LIMITS.filterNames)).not.toThrow();
  expect(named(LIMITS.filterNames + 1)).toThrow(
    /^filter must be .* with 1 to 1000 names in all, but is .{100}\.$/,
  );
});

test('a trailing slash makes no other server, and a path is kept', () => {
  expect(serverUrlOf(`${url}/`)).toBe(serverUrlOf(url));
  expect(serverUrlOf(`${url}/team/`)).toBe(`${url}/team`);
});

test('no namespace can be mistaken for another scope', () => {
  expect(scopeOf('user@example.com', url)).toBe(`user%40example.com@${url}`);
});

test.each([
  [
    'http://localhost:5173/node_modules/.vite/deps/flagent-offline.js?v=1f2e',
    'http://localhost:5173/node_modules/flagent-offline/dist/shared-worker.js',
  ],
  [
    'http://localhost:5173/app/node_modules/.vite/deps_temp_1/chunk-A.js',
    'http://localhost:5173/app/node_modules/flagent-offline/dist/shared-worker.js',
  ],
  ['https://app.example.com/assets/index-4f.js', undefined],
])('finds the worker of a module that a dev server has moved: %s', (moved, expected) => {
  expect(unmovedWorkerUrl(moved)).toBe(expected);
});
