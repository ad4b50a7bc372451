import { expect, test } from 'vitest';
import { checkOptions } from '../../src/page/check-options.ts';
import { unmovedWorkerUrl } from '../../src/page/hub-doors.ts';

const url = 'https://flags.example.com';

test.each<[unknown, RegExp]>([
  [undefined, /needs an object of options/],
  [{}, /^url must be the absolute http\(s\) address .* but is missing/],
  [{ url: '/flags' }, /^url must be .* but is "\/flags"/],
  [{ url: 'ws://flags' }, /^url must be/],
  [{ url: 'https://me:secret@flags' }, /^url must be/],
  [{ url: `${url}?token=x` }, /^url must be/],
  [{ url, namspace: 'prod' }, /^Unknown option namspace\. Known are: url, accessToken/],
  [{ url, namespace: '' }, /^namespace must be a string of 1 to 200 characters/],
  [{ url, accessToken: 7 }, /^accessToken must be a string or a function/],
  [{ url, staleAfterMs: -1 }, /^staleAfterMs must be milliseconds from 0, but is -1/],
  [{ url, firstReadTimeoutMs: '5s' }, /^firstReadTimeoutMs must be/],
  [{ url, filter: {} }, /^filter must be an object of lists/],
  [{ url, filter: { tags: [] } }, /^filter must be/],
  [{ url, filter: { tag: ['web'] } }, /^filter must be/],
  [{ url, filter: { flagIDs: ['1'] } }, /^filter must be/],
])('refuses %j with a sentence that says what to do', (options, message) => {
  const check = () => checkOptions(options as never);
  expect(check).toThrow(message);
  expect(check).toThrow(expect.objectContaining({ name: 'FlagError', code: 'invalid_option' }));
});

test('a trailing slash makes no other server, and a path is kept', () => {
  expect(checkOptions({ url: `${url}/` }).scope).toBe(checkOptions({ url }).scope);
  expect(checkOptions({ url: `${url}/team/` }).url).toBe(`${url}/team`);
});

test('no namespace can be mistaken for another scope', () => {
  expect(checkOptions({ url, namespace: 'user@example.com' }).scope).toBe(`user%40example.com@${url}`);
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
