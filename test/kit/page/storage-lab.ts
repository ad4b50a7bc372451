/** The promises of the flag stores, to be run in a real page; and a store that writes without end, to be interrupted. */
import { openIndexedDbStore } from '../../../src/storage/indexeddb.ts';
import { createMemoryStore } from '../../../src/storage/memory.ts';
import { createResilientStore } from '../../../src/storage/resilient.ts';
import type { Case } from '../../contract/case.ts';
import { changeTo, facts, flagStoreCases, heldOf, oneAt, two } from '../../contract/flag-store.ts';
import { indexedDbCases } from '../../contract/indexeddb-cases.ts';
import { storeFaultCases } from '../../contract/store-fault-cases.ts';

export interface StorageLab {
  /** Runs one promise by its name; gives what is wrong, or an empty text. */
  run(name: string): Promise<string>;
  readonly names: readonly string[];
  /** Writes revision after revision, until it goes over to memory. What `grows` needs more room with each of them. */
  keepWriting(scope: string, what: 'grows' | 'stays small'): Promise<void>;
  /** The last revision that a tab would have been shown as stored. */
  readonly storedRevision: number;
  /** Why the writing store went over to memory; empty when it did not. */
  readonly reason: string;
  /** The revision of what a new page finds; -1 for nothing. Rejects when the flags are not those of that revision. */
  findRevision(scope: string): Promise<number>;
}

declare global {
  interface Window {
    storageLab: StorageLab;
  }
}

const openPersistent = (scope: string) => openIndexedDbStore(scope, () => {});
let reason = '';
const openResilient = async (scope: string) =>
  createResilientStore({
    open: (onLost) => openIndexedDbStore(scope, onLost),
    within: (promise) => promise,
    onMemory: (why) => {
      reason = why;
    },
  });

const named = (kind: string, cases: readonly Case[]) =>
  cases.map(({ name, run }): Case => ({ name: `${kind}: ${name}`, run }));

const cases = [
  ...named('memory', flagStoreCases({ open: async () => createMemoryStore(), survivesReopening: false })),
  ...named('indexeddb', flagStoreCases({ open: openPersistent, survivesReopening: true })),
  ...named('resilient', flagStoreCases({ open: openResilient, survivesReopening: true })),
  ...named('indexeddb', indexedDbCases),
  ...named('resilient', storeFaultCases),
];

let storedRevision = 0;

window.storageLab = {
  names: cases.map(({ name }) => name),
  run: async (name) => {
    const found = cases.find((one) => one.name === name);
    if (found === undefined) return 'There is no such promise.';
    return found.run(name).then(
      () => '',
      (error: unknown) => (error instanceof Error ? `${error.message}\n${error.stack}` : String(error)),
    );
  },
  keepWriting: async (scope, what) => {
    const store = await openResilient(scope);
    const term = await store.lead();
    await store.saveSnapshot(heldOf(1, [oneAt(1), two]), { ...facts, term });
    for (let revision = 2; store.kind === 'persistent'; revision += 1) {
      // Large enough for the log to be folded every few changes.
      const length = what === 'grows' ? 50_000 * revision : 5_000;
      const flag = { ...oneAt(revision), description: 'x'.repeat(length) };
      await store.appendChanges([changeTo(revision, flag)], heldOf(revision, [flag, two]), {
        ...facts,
        term,
      });
      if (store.kind === 'persistent') storedRevision = revision;
    }
  },
  get storedRevision() {
    return storedRevision;
  },
  get reason() {
    return reason;
  },
  findRevision: async (scope) => {
    const store = await openPersistent(scope);
    const held = (await store.load())?.held;
    store.close();
    if (held === undefined) return -1;
    const { snapshotID } = held.flags.get('one') ?? {};
    if (snapshotID !== held.revision || !held.flags.has('two')) {
      throw new Error(`Revision ${held.revision} was found with flag one as it was at ${snapshotID}.`);
    }
    return held.revision;
  },
};
