import { expect, test } from 'vitest';
import { judgePosition } from '../../src/core/state/position.ts';
import type { Held } from '../../src/core/state/reduce.ts';

const held: Held = { epoch: 'e1', revision: 5, flags: new Map(), isFiltered: false };

test.each([
  ['the same state', held, { epoch: 'e1', revision: 5 }, 'current'],
  ['a later state', held, { epoch: 'e1', revision: 6 }, 'lost'],
  [
    'a later state, with a filter that leaves revisions out',
    { ...held, isFiltered: true },
    { epoch: 'e1', revision: 6 },
    'current',
  ],
  ['an earlier state', held, { epoch: 'e1', revision: 4 }, 'behind'],
  ['an earlier state, with a filter', { ...held, isFiltered: true }, { epoch: 'e1', revision: 4 }, 'behind'],
  ['another epoch', held, { epoch: 'e2', revision: 5 }, 'lost'],
  ['another epoch, with a filter', { ...held, isFiltered: true }, { epoch: 'e2', revision: 9 }, 'lost'],
] as const)('%s', (_name, mine, position, verdict) => {
  expect(judgePosition(mine, position)).toBe(verdict);
});
