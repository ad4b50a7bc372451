/** Built flags are flags: what tests and benches feed the server passes the decoder and looks like the real thing. */
import { expect, test } from 'vitest';
import { readFlag, readFlags } from '../../src/core/protocol/decode-flag.ts';
import { buildFlag, buildFlags } from '../../src/testing/flags.ts';

test('a built flag is what the decoder makes of it', () => {
  const flag = buildFlag('new_payment_flow', { id: 7, tags: [{ id: 1, value: 'web' }] });
  expect(readFlag(JSON.parse(JSON.stringify(flag)), 'flag')).toEqual(flag);
});

test('a thousand built flags are all different and pass the decoder', () => {
  const flags = buildFlags(1_000);
  expect(readFlags(JSON.parse(JSON.stringify(flags)), 'flags')).toEqual(flags);
});

test('built flags are of realistic size', () => {
  const bytes = buildFlags(1_000).map((flag) => JSON.stringify(flag).length);
  expect(Math.min(...bytes)).toBeGreaterThan(300);
  expect(Math.max(...bytes)).toBeLessThan(750);
});

test('the distributions of every built segment add up to 100 percent', () => {
  const sums = buildFlags(1_000)
    .flatMap((flag) => flag.segments)
    .map((segment) => segment.distributions.reduce((sum, { percent }) => sum + percent, 0));
  expect(new Set(sums)).toEqual(new Set([100]));
});

test('the same seed gives the same flags, another seed gives others', () => {
  expect(buildFlags(20, 5)).toEqual(buildFlags(20, 5));
  expect(buildFlags(20, 5)).not.toEqual(buildFlags(20, 6));
});
