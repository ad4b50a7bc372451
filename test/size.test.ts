/** Small: what a page must load before it can read stays under its limit, nothing else grows unseen, and the README says what is measured. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { measureSizes, type Sizes } from './bench/size.ts';

/**
 * Bytes, minified and gzipped; 1 KB is 1 000 of them. The entry's limit is a promise. The others stand a little above what there is: who needs
 * more raises them on purpose.
 */
const LIMITS: Readonly<Record<keyof Sizes, number>> = {
  entry: 5_000,
  linkTab: 6_000,
  patternEngine: 7_000,
  sharedWorker: 26_000,
  tabHost: 26_000,
  serviceWorker: 6_500,
};

let sizes: Sizes;

beforeAll(async () => {
  sizes = await measureSizes();
}, 60_000);

test.each(Object.entries(LIMITS))('%s stays within %i bytes', (name, limit) => {
  expect(sizes[name as keyof Sizes].gzip).toBeLessThanOrEqual(limit);
});

test('the sizes in the README are those that are measured', () => {
  const readme = readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8').replaceAll('\n', ' ');
  const inKb = (name: keyof Sizes): string => `${(sizes[name].gzip / 1_000).toFixed(1)} KB`;
  const [found] = /`createFlagClient` is .*?service-worker parts [\d.]+ KB/.exec(readme) ?? [];
  expect(found).toBe(
    `\`createFlagClient\` is ${inKb('entry')}, evaluation included; what reaches the hub is another ${inKb('linkTab')}, loaded beside it, and the engine for regular expressions ${inKb('patternEngine')}, loaded when a flag has one. ` +
      `The worker is ${inKb('sharedWorker')}, loaded once per origin, the hub for browsers without it ${inKb('tabHost')}, ` +
      `and the service-worker parts ${inKb('serviceWorker')}`,
  );
});
