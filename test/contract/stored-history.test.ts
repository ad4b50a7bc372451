/** Random histories of writes, any one record of which is damaged or lost: what is read back is a state that once was, and the newest one left. */
import 'fake-indexeddb/auto';
import fc from 'fast-check';
import type { IDBPDatabase } from 'idb';
import { expect, test } from 'vitest';
import type { Change } from '../../src/core/model.ts';
import type { Held } from '../../src/core/state/reduce.ts';
import type { FlagStore, SnapshotFacts } from '../../src/storage/contract.ts';
import type { FlagDatabase } from '../../src/storage/database.ts';
import { openIndexedDbStore } from '../../src/storage/indexeddb.ts';
import type { LogRecord, SnapshotRecord } from '../../src/storage/records.ts';
import { arbHistory, type History } from '../kit/arbitraries.ts';
import { withDatabase } from './indexeddb-cases.ts';

/** One write, or a new page; `changes`: how many are appended in one commit. */
type Step =
  | { readonly do: 'append'; readonly changes: number }
  | { readonly do: 'save' | 'confirm' | 'reopen' };

const arbStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('append' as const), changes: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('save' as const, 'confirm' as const, 'reopen' as const) }),
  },
);

type Damage =
  | 'removed'
  | 'emptied'
  | 'half its text'
  | 'another letter'
  | 'another place'
  | 'another epoch'
  | 'another filter';

type StoreName = 'snapshot' | 'log' | 'meta';

const arbDamage = fc.record({
  how: fc.constantFrom<Damage[]>(
    'removed',
    'emptied',
    'half its text',
    'another letter',
    'another place',
    'another epoch',
    'another filter',
  ),
  store: fc.constantFrom<StoreName[]>('snapshot', 'log', 'meta'),
  /** Which of its records. */
  at: fc.nat(),
});

/** The states of a history under a filter or without; a filter leaves revisions out, and some flags are long enough to fold the log. */
const arbStates = fc
  .record({ history: arbHistory, isFiltered: fc.boolean(), isLong: fc.boolean() })
  .map(({ history, isFiltered, isLong }) => statesOf(history, isFiltered, isLong));

interface States {
  readonly filterKey: string;
  readonly states: readonly Held[];
  /** `changes[n]` leads from state n to state n + 1. */
  readonly changes: readonly Change[];
}

function statesOf({ snapshot, changes, states }: History, isFiltered: boolean, isLong: boolean): States {
  const revisionAt = (index: number) => snapshot.revision + index * (isFiltered ? 3 : 1);
  const lengthen = <T extends object>(flag: T): T =>
    isLong ? { ...flag, description: 'x'.repeat(40_000) } : flag;
  return {
    filterKey: isFiltered ? 'tags=web' : '',
    states: states.map((flags, index) => ({
      epoch: snapshot.epoch,
      revision: revisionAt(index),
      flags: new Map([...flags].map(([key, flag]) => [key, lengthen(flag)])),
      isFiltered,
    })),
    changes: changes.map((change, index) => ({
      ...change,
      revision: revisionAt(index + 1),
      flag: change.flag && lengthen(change.flag),
    })),
  };
}

const open = (scope: string) => openIndexedDbStore(scope, () => {});

/** Writes as far as the steps go, as a hub would; gives the index of the last state that is stored. */
async function writeHistory(scope: string, { filterKey, states, changes }: States, steps: readonly Step[]) {
  let store = await open(scope);
  let facts: SnapshotFacts = { term: await store.lead(), nowMs: 1_000, filterKey };
  let index = 0;
  const current = (): Held => states[index] as Held;
  await store.saveSnapshot(current(), facts);
  for (const step of steps) {
    if (step.do === 'append') {
      const appended = changes.slice(index, index + step.changes);
      if (appended.length === 0) continue;
      index += appended.length;
      await store.appendChanges(appended, current(), facts);
    } else if (step.do === 'save') await store.saveSnapshot(current(), facts);
    else if (step.do === 'confirm') await store.confirm(facts);
    else {
      store.close();
      store = await open(scope);
      expect((await store.load())?.held).toEqual(current());
      facts = { ...facts, term: await store.lead() };
    }
  }
  store.close();
  return index;
}

interface Address {
  readonly store: StoreName;
  readonly key: IDBValidKey;
}

/** A record of this store, or a snapshot when it has none. */
async function pickRecord(db: IDBPDatabase<FlagDatabase>, store: StoreName, at: number): Promise<Address> {
  const keys: readonly IDBValidKey[] = await db.getAllKeys(store);
  const key = keys[at % keys.length];
  return key === undefined ? pickRecord(db, 'snapshot', at) : { store, key };
}

async function damageRecord(
  db: IDBPDatabase<FlagDatabase>,
  { store, key }: Address,
  how: Damage,
): Promise<void> {
  if (how === 'removed') return db.delete(store, key as never);
  const record = await db.get(store, key as never);
  await db.put(store, damaged(record, how) as never, key as never);
}

function damaged(record: unknown, how: Damage): unknown {
  if (how === 'emptied' || typeof record !== 'object' || record === null) return null;
  const changed = Object.entries(record).map(([name, value]): [string, unknown] => {
    const isText = name.endsWith('Json');
    if (how === 'half its text' && isText) return [name, value.slice(0, value.length / 2)];
    if (how === 'another letter' && isText) return [name, value.replace(/[a-z]|$/, '!')];
    if (how === 'another place' && /revision$/i.test(name)) return [name, value + 1];
    if (how === 'another epoch' && name === 'epoch') return [name, `${value}x`];
    if (how === 'another filter' && name === 'filterKey') return [name, `${value}x`];
    return [name, value];
  });
  return Object.fromEntries(changed);
}

/** The newest revision that the records lead to, when one of them does not count. */
async function reachableRevision(db: IDBPDatabase<FlagDatabase>, lost: Address): Promise<number | undefined> {
  const left = async (store: 'snapshot' | 'log') => {
    const keys = (await db.getAllKeys(store)).filter((key) => lost.store !== store || lost.key !== key);
    return Promise.all(keys.map((key) => db.get(store, key)));
  };
  const snapshots = (await left('snapshot')) as SnapshotRecord[];
  const log = (await left('log')) as LogRecord[];
  let revision = snapshots.at(-1)?.revision;
  for (;;) {
    const step = log.find(({ afterRevision }) => afterRevision === revision);
    if (step === undefined) return revision;
    revision = (JSON.parse(step.changesJson) as Change[]).at(-1)?.revision;
  }
}

/** As a hub that starts: reads, leads, and gets from the server what is missing. */
async function catchUp(store: FlagStore, { filterKey, states, changes }: States): Promise<void> {
  const loaded = (await store.load())?.held;
  const facts = { term: await store.lead(), nowMs: 2_000, filterKey };
  if (loaded === undefined) await store.saveSnapshot(states.at(-1) as Held, facts);
  const from = states.findIndex(({ revision }) => revision === loaded?.revision);
  for (let index = from; loaded !== undefined && index < changes.length; index += 1) {
    await store.appendChanges(changes.slice(index, index + 1), states[index + 1] as Held, facts);
  }
}

let runs = 0;

/** Generous: the machine may be busy. */
const TIMEOUT_MS = 120_000;

test('after any damage to one record, the newest state that is left is read, and writing goes on from it', {
  timeout: TIMEOUT_MS,
}, async () => {
  const kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      arbStates,
      fc.array(arbStep, { maxLength: 12 }),
      arbDamage,
      async (history, steps, damage) => {
        const scope = `history ${++runs}`;
        const last = await writeHistory(scope, history, steps);
        const expected = await withDatabase(scope, async (db) => {
          const lost = await pickRecord(db, damage.store, damage.at);
          kinds.add(lost.store).add(damage.how);
          const reachable = await reachableRevision(db, lost);
          await damageRecord(db, lost, damage.how);
          return reachable;
        });

        const store = await open(scope);
        const loaded = (await store.load())?.held;
        expect(loaded?.revision).toBe(expected);
        const known = history.states.slice(0, last + 1);
        expect(loaded).toEqual(known.find(({ revision }) => revision === loaded?.revision));
        await catchUp(store, history);
        expect((await store.load())?.held).toEqual(history.states.at(-1));
        store.close();
      },
    ),
    { numRuns: 150 },
  );
  expect(kinds.size).toBe(3 + 7);
});

/** A hub that begins a term (first leads, then reads, so that no write can come between), or writes what comes next. */
type Turn = { readonly hub: 0 | 1; readonly do: 'lead' | 'append' | 'save' };

const arbTurn: fc.Arbitrary<Turn> = fc.record({
  hub: fc.constantFrom(0 as const, 1 as const),
  do: fc.constantFrom('lead' as const, 'append' as const, 'append' as const, 'save' as const),
});

/** What it wrote, as indices of states; a write refused because the other hub leads now is left out. */
async function playHub(scope: string, { filterKey, states, changes }: States, turns: readonly Turn[]) {
  const store = await open(scope);
  const written: number[] = [];
  let term: number | undefined;
  let index = 0;
  for (const turn of turns) {
    if (turn.do === 'lead') {
      term = await store.lead();
      const revision = (await store.load())?.held.revision;
      index = states.findIndex((state) => state.revision === revision);
      continue;
    }
    if (term === undefined) continue;
    const next = turn.do === 'append' && index >= 0 ? index + 1 : Math.max(index, 0);
    const held = states[next];
    if (held === undefined) continue;
    const facts = { term, nowMs: 1_000, filterKey };
    const write =
      next > index && index >= 0
        ? store.appendChanges(changes.slice(index, next), held, facts)
        : store.saveSnapshot(held, facts);
    index = next;
    await write.then(
      () => written.push(next),
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'superseded' });
        term = undefined;
      },
    );
  }
  store.close();
  return written;
}

test('two hubs that write at the same time: nothing that one of them was told is stored is lost, and no state is mixed', {
  timeout: TIMEOUT_MS,
}, async () => {
  let contested = 0;
  await fc.assert(
    fc.asyncProperty(
      arbStates,
      fc.array(arbTurn, { minLength: 12, maxLength: 40 }),
      async (history, turns) => {
        const scope = `two hubs ${++runs}`;
        const play = (hub: 0 | 1) =>
          playHub(
            scope,
            history,
            turns.filter((turn) => turn.hub === hub),
          );
        const [first, second] = await Promise.all([play(0), play(1)]);
        if (first.length > 0 && second.length > 0) contested += 1;
        const store = await open(scope);
        const loaded = (await store.load())?.held;
        store.close();
        const newest = Math.max(-1, ...first, ...second);
        expect(loaded).toEqual(history.states[newest]);
      },
    ),
    { numRuns: 150 },
  );
  expect(contested).toBeGreaterThan(20);
});
