/** The promises of the flag stores, in memory and over fake-indexeddb. `test/browser/storage.test.ts` holds real engines to the same ones. */
import 'fake-indexeddb/auto';
import { forceCloseDatabase } from 'fake-indexeddb';
import { unwrap } from 'idb';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/storage/database.ts';
import { openIndexedDbStore } from '../../src/storage/indexeddb.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { createResilientStore } from '../../src/storage/resilient.ts';
import { buildFlags } from '../kit/flags.ts';
import type { Case } from './case.ts';
import { changeTo, facts, flagStoreCases, heldOf, oneAt } from './flag-store.ts';
import { indexedDbCases, withDatabase } from './indexeddb-cases.ts';
import { storeFaultCases } from './store-fault-cases.ts';

function runAll(kind: string, cases: readonly Case[]): void {
  describe(kind, () => {
    for (const { name, run } of cases) test(name, () => run(`${kind} ${name}`));
  });
}

runAll('memory', flagStoreCases({ open: async () => createMemoryStore(), survivesReopening: false }));
runAll(
  'indexeddb',
  flagStoreCases({ open: (scope) => openIndexedDbStore(scope, () => {}), survivesReopening: true }),
);
runAll(
  'resilient',
  flagStoreCases({
    open: async (scope) =>
      createResilientStore({
        open: (onLost) => openIndexedDbStore(scope, onLost),
        within: (promise) => promise,
        onMemory: (reason) => expect.fail(reason),
      }),
    survivesReopening: true,
  }),
);
runAll('indexeddb', indexedDbCases);
runAll('resilient', storeFaultCases);

test('a change writes as much with 10 000 flags as with 100', async () => {
  const writtenFor = async (n: number): Promise<number[]> => {
    const flags = buildFlags(n, 1);
    const store = await openIndexedDbStore(`writes ${n}`, () => {});
    const term = await store.lead();
    await store.saveSnapshot(heldOf(1, flags), { ...facts, term });
    const lengths: number[] = [];
    for (let revision = 2; revision < 52; revision += 1) {
      const change = changeTo(revision, oneAt(revision));
      lengths.push((await store.appendChanges([change], heldOf(revision, flags), { ...facts, term })).length);
    }
    store.close();
    return lengths;
  };
  const few = await writtenFor(100);
  const many = await writtenFor(10_000);
  expect(Math.max(...many)).toBe(Math.max(...few));
});

test('says when the browser takes the connection away', async () => {
  let lost = 0;
  const db = await openDatabase('terminated', () => {
    lost += 1;
  });
  forceCloseDatabase(unwrap(db) as never);
  await expect.poll(() => lost).toBe(1);
  expect(await withDatabase('terminated', (again) => again.count('snapshot'))).toBe(0);
});
