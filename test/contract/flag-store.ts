/** What every flag store must do, whatever it keeps its flags in. */
import type { Change, Flag } from '../../src/core/model.ts';
import type { Held } from '../../src/core/state/reduce.ts';
import type { FlagStore } from '../../src/storage/contract.ts';
import { buildFlag } from '../kit/flags.ts';
import { type Case, rejection, same } from './case.ts';

export const heldOf = (revision: number, flags: readonly Flag[], epoch = 'e1'): Held => ({
  epoch,
  revision,
  flags: new Map(flags.map((flag) => [flag.key, flag])),
  isFiltered: false,
});

/** The same flags, as replicated with a filter. */
export const filteredOf = (revision: number, flags: readonly Flag[]): Held => ({
  ...heldOf(revision, flags),
  isFiltered: true,
});

export const changeTo = (revision: number, flag: Flag, epoch = 'e1'): Change => ({
  type: 'FLAG_UPDATED',
  epoch,
  revision,
  timestampMs: 5,
  flagID: flag.id,
  flagKey: flag.key,
  flag,
});

export const one = buildFlag('one', { id: 1 });
export const two = buildFlag('two', { id: 2 });
/** Flag `one` as it is at a revision. */
export const oneAt = (revision: number): Flag => ({ ...one, snapshotID: revision });
/** Facts of a write in the first term. */
export const facts = { term: 1, nowMs: 1_000, filterKey: '' };

export interface StoreKind {
  /** Gives a store over the data of this scope each time, as a new page would. */
  readonly open: (scope: string) => Promise<FlagStore>;
  readonly survivesReopening: boolean;
}

export function flagStoreCases({ open, survivesReopening }: StoreKind): readonly Case[] {
  const opened = (name: string, run: (store: FlagStore, scope: string) => Promise<void>): Case => ({
    name,
    run: async (scope) => {
      const store = await open(scope);
      await run(store, scope);
      store.close();
    },
  });
  const led = (name: string, run: (store: FlagStore, scope: string) => Promise<void>): Case =>
    opened(name, async (store, scope) => {
      await store.lead();
      await run(store, scope);
    });

  return [
    opened('holds nothing at first', async (store) => {
      same(await store.load(), undefined);
    }),

    led('gives back the snapshot and the changes behind it, with their age', async (store, scope) => {
      await store.saveSnapshot(heldOf(7, [one]), facts);
      const held = heldOf(8, [one, two]);
      await store.appendChanges([changeTo(8, two)], held, { ...facts, nowMs: 2_000 });
      const reader = survivesReopening ? await open(scope) : store;
      same(await reader.load(), { held, confirmedAtMs: 2_000, filterKey: '' });
      reader.close();
    }),

    led('gives back any text as it was written', async (store) => {
      const odd = buildFlag('__proto__', { id: 3, description: 'a\r\nb\u2028 \ud800 \u0000 ключ 🚀' });
      await store.saveSnapshot(heldOf(1, [odd]), facts);
      await store.appendChanges([changeTo(2, { ...odd, id: 4, key: '🚀' })], heldOf(2, [odd]), facts);
      const held = (await store.load())?.held;
      same(held?.flags.get('__proto__'), odd);
    }),

    led('a later snapshot replaces an earlier one, whatever its epoch', async (store) => {
      await store.saveSnapshot(heldOf(7, [one]), facts);
      await store.appendChanges([changeTo(8, two)], heldOf(8, [one, two]), facts);
      await store.saveSnapshot(heldOf(3, [two], 'e2'), facts);
      same((await store.load())?.held, heldOf(3, [two], 'e2'));
      await store.appendChanges([changeTo(4, one, 'e2')], heldOf(4, [two, one], 'e2'), facts);
      same((await store.load())?.held, heldOf(4, [two, one], 'e2'));
    }),

    led('a removal is stored like any change', async (store) => {
      await store.saveSnapshot(heldOf(1, [one, two]), facts);
      const removal: Change = { ...changeTo(2, one), type: 'FLAG_DELETED', flag: null };
      await store.appendChanges([removal], heldOf(2, [two]), facts);
      same((await store.load())?.held, heldOf(2, [two]));
    }),

    led('a commit of very many changes is one like any other', async (store) => {
      const count = 70_000;
      const many = Array.from({ length: count }, (_, index): Change => {
        return { ...changeTo(index + 2, one), type: 'FLAG_DELETED', flag: null };
      });
      await store.saveSnapshot(heldOf(1, [one, { ...two, description: 'x'.repeat(12_000_000) }]), facts);
      const held = heldOf(count + 1, [two]);
      await store.appendChanges(many, held, facts);
      same((await store.load())?.held.revision, held.revision);
    }),

    led(
      'refuses the writes of a term that is over, and keeps what the newer one wrote',
      async (store, scope) => {
        await store.saveSnapshot(heldOf(1, [one]), facts);
        const other = survivesReopening ? await open(scope) : store;
        const late = [
          () => store.appendChanges([changeTo(2, one)], heldOf(2, [one]), facts),
          () => store.saveSnapshot(heldOf(1, [one]), facts),
          () => store.confirm({ ...facts, nowMs: 5_000 }),
        ];
        for (const [index, write] of late.entries()) {
          const term = await other.lead();
          await other.saveSnapshot(heldOf(9 + index, [two]), { ...facts, term });
          same((await rejection(write())).code, 'superseded');
          const held = heldOf(9 + index, [two]);
          same(await other.load(), { held, confirmedAtMs: 1_000, filterKey: '' });
        }
        other.close();
      },
    ),

    led('a wipe in the name of a term that is over is refused, and wipes nothing', async (store) => {
      await store.saveSnapshot(heldOf(1, [one]), facts);
      await store.lead();
      same((await rejection(store.clear({ term: 1 }))).code, 'superseded');
      same((await store.load())?.held, heldOf(1, [one]));
      await store.clear({ term: 2 });
      same(await store.load(), undefined);
    }),

    led('remembers when the flags were last confirmed', async (store) => {
      await store.saveSnapshot(heldOf(1, [one]), facts);
      await store.confirm({ term: 1, nowMs: 9_000 });
      same((await store.load())?.confirmedAtMs, 9_000);
    }),

    led('a confirmation of nothing stores nothing', async (store) => {
      await store.confirm({ term: 1, nowMs: 9_000 });
      same(await store.load(), undefined);
    }),

    led('writes asked for at once are made one after the other, and none undoes another', async (store) => {
      const flags = [one, two];
      await store.saveSnapshot(heldOf(1, flags), facts);
      const writes: Promise<unknown>[] = [];
      for (let revision = 2; revision < 12; revision += 1) {
        const held = heldOf(revision, [oneAt(revision), two]);
        writes.push(store.appendChanges([changeTo(revision, oneAt(revision))], held, facts));
        writes.push(store.confirm({ term: 1, nowMs: revision * 1_000 }));
      }
      await Promise.all(writes);
      const held = heldOf(11, [oneAt(11), two]);
      same(await store.load(), { held, confirmedAtMs: 11_000, filterKey: '' });
    }),

    led('a write asked for while the one before it is under way builds on it', async (store) => {
      const filtered = { ...facts, filterKey: 'tags=web' };
      await store.saveSnapshot(filteredOf(1, [one]), filtered);
      const second = store.appendChanges([changeTo(2, oneAt(2))], filteredOf(2, [oneAt(2)]), filtered);
      const third = store.appendChanges([changeTo(3, two)], filteredOf(3, [oneAt(2), two]), filtered);
      await second;
      const held = filteredOf(4, [oneAt(4), two]);
      await Promise.all([third, store.appendChanges([changeTo(4, oneAt(4))], held, filtered)]);
      same((await store.load())?.held, held);
    }),

    led('changes that do not lead on from what is stored bring everything', async (store) => {
      await store.saveSnapshot(heldOf(1, [one]), facts);
      // A hub that followed another one holds more than it has written.
      const held = heldOf(5, [oneAt(4), two]);
      await store.appendChanges([changeTo(5, two)], held, facts);
      same((await store.load())?.held, held);
    }),

    led('under a filter, revisions may jump and nothing is lost', async (store) => {
      const filtered = { ...facts, filterKey: 'tags=web' };
      await store.saveSnapshot(filteredOf(1, [one]), filtered);
      await store.appendChanges([changeTo(40, two)], filteredOf(40, [one, two]), filtered);
      const held = filteredOf(90, [oneAt(90), two]);
      await store.appendChanges([changeTo(90, oneAt(90))], held, filtered);
      same(await store.load(), { held, confirmedAtMs: 1_000, filterKey: 'tags=web' });
    }),

    led(
      'under a filter, a new leader brings everything: it may hold what it never wrote',
      async (store, scope) => {
        const filtered = { ...facts, filterKey: 'tags=web' };
        await store.saveSnapshot(filteredOf(1, [one]), filtered);
        const next = survivesReopening ? await open(scope) : store;
        const term = await next.lead();
        const held = filteredOf(9, [oneAt(7), two]);
        await next.appendChanges([changeTo(9, two)], held, { ...filtered, term });
        same((await next.load())?.held, held);
        next.close();
      },
    ),

    led('holds nothing after it was cleared, and can be written again', async (store) => {
      await store.saveSnapshot(heldOf(1, [one]), facts);
      await store.clear();
      same(await store.load(), undefined);
      await store.saveSnapshot(heldOf(2, [two]), facts);
      same((await store.load())?.held, heldOf(2, [two]));
    }),
  ];
}
