import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change, Flag } from '../../src/core/model.ts';
import { type Held, reduce } from '../../src/core/state/reduce.ts';
import { mergeUpdates, patchOf, type Update } from '../../src/core/state/update.ts';
import { createMirror } from '../../src/page/mirror.ts';
import { buildFlag } from '../kit/flags.ts';

const EPOCH = 'e1';
const empty: Held = { epoch: EPOCH, revision: 0, flags: new Map(), isFiltered: false };

/** A server history over three keys: what the flags are at every revision, and the change that led there. */
const arbHistory = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { minLength: 1, maxLength: 30 })
  .map((edits) => {
    const states = [empty];
    const changes: Change[] = [];
    for (const [index, [key, isGone]] of edits.entries()) {
      const before = states.at(-1) ?? empty;
      const flag: Flag | null = isGone
        ? null
        : buildFlag(key, { id: key.charCodeAt(0), snapshotID: index + 1 });
      const change: Change = {
        type: isGone ? 'FLAG_DELETED' : 'FLAG_UPDATED',
        epoch: EPOCH,
        revision: index + 1,
        timestampMs: 0,
        flagID: key.charCodeAt(0),
        flagKey: key,
        flag,
      };
      changes.push(change);
      states.push(reduce(before, { kind: 'change', change }).held ?? before);
    }
    return { states, changes };
  });

type History = { readonly states: readonly Held[]; readonly changes: readonly Change[] };

const stateAt = ({ states }: History, revision: number): Held => states[revision] ?? empty;
const wholeAt = (history: History, revision: number): Update => {
  const { epoch, flags } = stateAt(history, revision);
  return { kind: 'all', epoch, revision, flagsJson: JSON.stringify([...flags.values()]) };
};
const patchFrom = (history: History, from: number, to: number): Update =>
  patchOf(stateAt(history, from), stateAt(history, to), history.changes.slice(from, to));

/** A cut of the history into pieces: 0 < … < last. */
const arbCuts = (last: number) =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: last }), { minLength: 1 })
    .map((cuts) => [0, ...cuts.sort((a, b) => a - b)]);

test('merged updates lead where the updates lead in turn', () => {
  fc.assert(
    fc.property(
      arbHistory.chain((history) => fc.tuple(fc.constant(history), arbCuts(history.changes.length))),
      ([history, cuts]) => {
        const updates = cuts.slice(1).map((to, index) => patchFrom(history, cuts[index] ?? 0, to));
        const merged = updates.reduce<Update | undefined>(
          (sum, update) => mergeUpdates(sum, update),
          undefined,
        );
        const mirror = createMirror();
        mirror.apply(wholeAt(history, 0));
        if (merged === undefined) throw new Error('Patches that meet must merge.');
        mirror.apply(merged);
        const end = stateAt(history, cuts.at(-1) ?? 0);
        expect(new Map(mirror.flags)).toEqual(end.flags);
        expect(mirror.held).toEqual({ epoch: EPOCH, revision: end.revision });
      },
    ),
  );
});

test('a mirror shows a state of the history after every update, whatever arrives twice, late or not at all', () => {
  const arbDeliveries = (last: number) =>
    fc.array(
      fc.oneof(
        fc.nat(last).map((revision) => ({ whole: revision })),
        fc.tuple(fc.nat(last), fc.nat(last)).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
      ),
      { maxLength: 30 },
    );
  fc.assert(
    fc.property(
      arbHistory.chain((history) => fc.tuple(fc.constant(history), arbDeliveries(history.changes.length))),
      ([history, deliveries]) => {
        const mirror = createMirror();
        let shown = -1;
        for (const delivery of deliveries) {
          const update =
            'whole' in delivery
              ? wholeAt(history, delivery.whole)
              : patchFrom(history, delivery.from, delivery.to);
          const outcome = mirror.apply(update);
          const revision = mirror.held?.revision ?? -1;
          expect(revision).toBeGreaterThanOrEqual(shown);
          if (revision >= 0) expect(new Map(mirror.flags)).toEqual(stateAt(history, revision).flags);
          if (outcome === 'gap') expect(revision).toBe(shown);
          shown = revision;
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('patches that do not meet are not merged', () => {
  const patch = (fromRevision: number, revision: number): Update => ({
    kind: 'patch',
    epoch: EPOCH,
    fromRevision,
    revision,
    patches: [],
  });
  expect(mergeUpdates(patch(1, 2), patch(3, 4))).toBeUndefined();
  expect(mergeUpdates(patch(1, 2), { ...patch(2, 3), epoch: 'e2' } as Update)).toBeUndefined();
  expect(mergeUpdates(patch(1, 2), { kind: 'empty' })).toEqual({ kind: 'empty' });
});

test('a mirror tells what changed, from what to what, and why', () => {
  const mirror = createMirror();
  const one = buildFlag('one', { id: 1 });
  const off = { ...one, enabled: false, snapshotID: 2 };
  mirror.apply({ kind: 'all', epoch: EPOCH, revision: 1, flagsJson: JSON.stringify([one]) });
  const changes = mirror.apply({
    kind: 'patch',
    epoch: EPOCH,
    fromRevision: 1,
    revision: 2,
    patches: [{ flagKey: 'one', flag: off, type: 'FLAG_DISABLED' }],
  });
  expect(changes).toEqual([{ flagKey: 'one', flag: off, previous: one, type: 'FLAG_DISABLED', revision: 2 }]);
  expect(mirror.byID(1)).toEqual(off);
});

test('a mirror takes a new epoch from its beginning, and keeps what it has against an older state of its own', () => {
  const mirror = createMirror();
  const all = (epoch: string, revision: number): Update => ({
    kind: 'all',
    epoch,
    revision,
    flagsJson: '[]',
  });
  mirror.apply(all('e1', 9));
  mirror.apply(all('e1', 8));
  expect(mirror.held).toEqual({ epoch: 'e1', revision: 9 });
  mirror.apply(all('e2', 1));
  expect(mirror.held).toEqual({ epoch: 'e2', revision: 1 });
});
