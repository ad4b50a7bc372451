/** A file that cannot be loaded: when it is tried again, and what is said meanwhile. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadPatiently } from '../../src/page/load-patiently.ts';

/** In place of the window, which hears `online` and `visibilitychange`. */
let page: EventTarget;

beforeEach(() => {
  vi.useFakeTimers();
  page = new EventTarget();
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Fails that often, then gives `code`. */
function fileThatFails(times: number) {
  const attemptsAtMs: number[] = [];
  const startMs = Date.now();
  const load = async (): Promise<string> => {
    attemptsAtMs.push(Date.now() - startMs);
    if (attemptsAtMs.length <= times) throw new TypeError('no such file');
    return 'code';
  };
  return { load, attemptsAtMs };
}

test('a file that is there is loaded once, and nothing is said', async () => {
  const { load, attemptsAtMs } = fileThatFails(0);
  const reasons: string[] = [];
  expect(
    await loadPatiently(
      load,
      () => true,
      (reason) => reasons.push(reason),
    ),
  ).toBe('code');
  expect([attemptsAtMs, reasons]).toEqual([[0], []]);
});

test('it is tried again after 1 s, then ever later up to 30 s, and each failure is told with its cause and what to do', async () => {
  const { load, attemptsAtMs } = fileThatFails(7);
  const reasons: string[] = [];
  const loaded = loadPatiently(
    load,
    () => true,
    (reason) => reasons.push(reason),
  );
  await vi.advanceTimersByTimeAsync(200_000);
  expect(await loaded).toBe('code');
  expect(attemptsAtMs.map((ms) => ms / 1_000)).toEqual([0, 1, 3, 7, 15, 31, 61, 91]);
  expect(reasons).toHaveLength(7);
  expect(new Set(reasons)).toEqual(
    new Set([
      expect.stringMatching(/could not be loaded\. Reload the page if that lasts\. TypeError: no such file$/),
    ]),
  );
});

test.each(['online', 'visibilitychange'])('%s makes it try at once', async (sign) => {
  const { load, attemptsAtMs } = fileThatFails(1);
  const loaded = loadPatiently(
    load,
    () => true,
    () => {},
  );
  await vi.advanceTimersByTimeAsync(10);
  page.dispatchEvent(new Event(sign));
  expect(await loaded).toBe('code');
  expect(attemptsAtMs).toEqual([0, 10]);
});

test('when it is not wanted any more it is neither tried again nor talked about', async () => {
  const { load, attemptsAtMs } = fileThatFails(9);
  const reasons: string[] = [];
  let isWanted = true;
  const loaded = loadPatiently(
    load,
    () => isWanted,
    (reason) => reasons.push(reason),
  );
  isWanted = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await loaded).toBeUndefined();
  expect([attemptsAtMs, reasons]).toEqual([[0], []]);
});
