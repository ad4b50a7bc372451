/** The benches' table tells the truth about its samples. */
import { expect, test } from 'vitest';
import { formatRows, percentile } from '../bench/report.ts';

test.each([
  { share: 0, value: 1 },
  { share: 0.5, value: 5 },
  { share: 0.95, value: 10 },
  { share: 0.99, value: 10 },
  { share: 1, value: 10 },
])('percentile $share of 1 to 10 is $value, a value that was measured', ({ share, value }) => {
  expect(percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], share)).toBe(value);
});

test('rows are lined up, and bytes are whole', () => {
  const table = formatRows([
    { name: 'one', unit: 'ms', samples: [10, 2, 9] },
    { name: 'longer', unit: 'bytes', samples: [1234] },
  ]);
  expect(table.split('\n')).toEqual([
    '         unit  n  median    p95    p99   min    max',
    'one        ms  3    9.00  10.00  10.00  2.00  10.00',
    'longer  bytes  1    1234   1234   1234  1234   1234',
  ]);
});
