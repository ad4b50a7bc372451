/**
 * Random schedules of everything that goes wrong around hubs and tabs. After every step: at most one stream, every tab shows a state that
 * the server had and never goes back, what was shown as stored is stored, nothing grows, and nothing comes back after `forget`. When the
 * faults end all tabs are current, over one stream.
 *
 * `CHAOS_RUNS=20000 CHAOS_SEED=random` goes hunting: so many schedules per row, others each time. A failure prints its seed and the
 * shortest schedule that fails, as it goes into `chaos-found.test.ts`.
 */
import 'fake-indexeddb/auto';
import fc from 'fast-check';
import { test } from 'vitest';
import { arbSchedule, run } from '../kit/chaos-steps.ts';

/** The same schedules each time: a change that breaks nothing must not fail by chance. */
const SEED = 20_260_711;

const { CHAOS_SEED = String(SEED), CHAOS_RUNS } = process.env;
const seed = CHAOS_SEED === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(CHAOS_SEED);

test.each([
  { hosts: 'workers', storage: 'memory', filters: 'everything', runs: 900 },
  { hosts: 'tabs', storage: 'memory', filters: 'everything', runs: 900 },
  { hosts: 'mixed', storage: 'memory', filters: 'everything', runs: 900 },
  { hosts: 'mixed', storage: 'memory', filters: 'by tab', runs: 500 },
  { hosts: 'mixed', storage: 'none', filters: 'everything', runs: 200 },
  { hosts: 'tabs', storage: 'none', filters: 'by tab', runs: 100 },
  { hosts: 'mixed', storage: 'indexeddb', filters: 'everything', runs: 150 },
] as const)(
  'promises hold with hubs in $hosts, storage $storage and filters: $filters, through $runs schedules',
  { timeout: 3_000_000 },
  async ({ runs, ...options }) => {
    await fc.assert(
      fc.asyncProperty(arbSchedule, ({ chance, steps }) => run({ ...options, chance }, steps)),
      { seed, numRuns: CHAOS_RUNS === undefined ? runs : Number(CHAOS_RUNS) },
    );
  },
);
