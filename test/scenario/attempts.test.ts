/** How often a browser knocks at a dead server, over many throws of the dice, with the real connection runner and the default policy. */
import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import { createConnection } from '../../src/hub/connection.ts';
import type { Transport } from '../../src/transport/contract.ts';
import { createFakeSystem } from '../kit/fake-system.ts';

const SEEDS = 1_000;
const SETTLING_MS = 10_000;
const MINUTE_MS = 60_000;

/** Refuses everything at once: the kind of failure that leaves most room for attempts. */
function deadServer(onAttempt: () => void): Transport {
  return {
    stream: async () => {
      onAttempt();
      return { ended: 'refused', status: 503, retryAfterMs: undefined };
    },
    fetchSnapshot: async () => {
      onAttempt();
      return { ended: 'refused', status: 503, retryAfterMs: undefined };
    },
  };
}

/** Attempts in the minute that follows the first ten seconds. */
async function countAttempts(seed: number): Promise<number> {
  const system = { ...createFakeSystem(), random: seededRandom(seed) };
  const startMs = system.elapsedMs();
  const atMs: number[] = [];
  const connection = createConnection(
    {
      transport: deadServer(() => atMs.push(system.elapsedMs() - startMs)),
      system,
      trace: () => {},
      policy: DEFAULT_POLICY,
      url: 'http://server',
      filter: () => undefined,
      after: () => undefined,
      accessToken: async () => undefined,
      onMessages: () => {},
      onPosition: () => {},
      onConfirmed: () => {},
      onMalformed: () => {},
      onChange: () => {},
    },
    'starting',
  );
  connection.tell({ type: 'unpause', reason: 'starting' });
  await system.advance(SETTLING_MS + MINUTE_MS);
  connection.close();
  return atMs.filter((ms) => ms > SETTLING_MS).length;
}

/** Mulberry32. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('after ten seconds a dead server is tried at most six times a minute, whatever the dice say', async () => {
  const counts: number[] = [];
  for (let seed = 1; seed <= SEEDS; seed += 1) counts.push(await countAttempts(seed));
  counts.sort((a, b) => a - b);
  expect({ median: counts[SEEDS / 2], most: counts.at(-1) }).toEqual({ median: 3, most: 5 });
});
