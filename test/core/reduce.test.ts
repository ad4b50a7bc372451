/** Whatever order changes arrive in, what is held is always one state that the server had, and never an older one. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change, Flag } from '../../src/core/model.ts';
import type { Message } from '../../src/core/protocol/messages.ts';
import { type Held, type Reduced, reduce } from '../../src/core/state/reduce.ts';
import { arbHistory, type History } from '../kit/arbitraries.ts';
import { buildFlag } from '../kit/flags.ts';

function heldAfter(messages: readonly Message[]): Held | undefined {
  return messages.reduce<Held | undefined>((held, message) => reduce(held, message).held, undefined);
}

function snapshotOf({ snapshot }: History): Message {
  return { kind: 'snapshot', snapshot, timestampMs: 0 };
}

function changeOf(change: Change): Message {
  return { kind: 'change', change };
}

/** The snapshot that the server would send after the first `count` changes. */
function laterSnapshot({ snapshot, states }: History, count: number): Message {
  const flags = [...(states[count]?.values() ?? [])];
  const { epoch, revision } = snapshot;
  return { kind: 'snapshot', snapshot: { epoch, revision: revision + count, flags }, timestampMs: 0 };
}

function expectServerState(held: Held | undefined, { snapshot, states }: History): void {
  const steps = (held?.revision ?? Number.NaN) - snapshot.revision;
  expect(held?.epoch).toBe(snapshot.epoch);
  expect(held?.flags).toEqual(states[steps]);
}

/** A history, and its messages with some dropped, some doubled, in any order, snapshots in between. */
const arbDisorder = arbHistory.chain((history) => {
  const count = history.changes.length;
  const arbArrival = fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: Math.max(0, count - 1) }).map((index) => history.changes[index]) },
    { weight: 1, arbitrary: fc.nat({ max: count }).map((steps) => laterSnapshot(history, steps)) },
  );
  return fc.record({ history: fc.constant(history), arrivals: fc.array(arbArrival, { maxLength: 30 }) });
});

function messageOf(arrival: Message | Change | undefined): Message[] {
  if (arrival === undefined) return [];
  return ['kind' in arrival ? arrival : changeOf(arrival)];
}

test('all changes in order end in the last state of the server', () => {
  fc.assert(
    fc.property(arbHistory, (history) => {
      const held = heldAfter([snapshotOf(history), ...history.changes.map(changeOf)]);
      expect(held?.revision).toBe(history.snapshot.revision + history.changes.length);
      expectServerState(held, history);
    }),
  );
});

test('dropped, doubled and reordered messages never lead back, nor to a mix of two states', () => {
  fc.assert(
    fc.property(arbDisorder, ({ history, arrivals }) => {
      let held = heldAfter([snapshotOf(history)]);
      for (const message of arrivals.flatMap(messageOf)) {
        const before = held?.revision ?? 0;
        held = reduce(held, message).held;
        expect(held?.revision).toBeGreaterThanOrEqual(before);
        expectServerState(held, history);
      }
    }),
    { numRuns: 300 },
  );
});

test('a gap always asks for a snapshot and leaves what is held as it was', () => {
  fc.assert(
    fc.property(arbHistory, fc.integer({ min: 2, max: 12 }), (history, distance) => {
      const late = history.changes[distance - 1];
      fc.pre(late !== undefined);
      const held = heldAfter([snapshotOf(history)]);
      const reduced = reduce(held, changeOf(late as Change));
      expect(reduced).toMatchObject({ need: 'snapshot', applied: [], changedKeys: [] });
      expect(reduced.held).toBe(held);
    }),
  );
});

test('after any gap, a snapshot and the changes after it lead to the last state', () => {
  fc.assert(
    fc.property(arbDisorder, ({ history, arrivals }) => {
      const last = history.changes.length;
      const disorder = arrivals.flatMap(messageOf);
      const held = heldAfter([snapshotOf(history), ...disorder, laterSnapshot(history, last)]);
      expect(held?.flags).toEqual(history.states[last]);
    }),
  );
});

test('a batch does what its changes do one by one', () => {
  fc.assert(
    fc.property(arbHistory, ({ snapshot, changes }) => {
      fc.pre(changes.length > 0);
      const start = reduce(undefined, { kind: 'snapshot', snapshot, timestampMs: 0 }).held;
      const batch = reduce(start, { kind: 'batch', changes });
      const singles: Reduced[] = [];
      for (const change of changes) {
        singles.push(reduce(singles.at(-1)?.held ?? start, changeOf(change)));
      }
      expect(batch.held).toEqual(singles.at(-1)?.held);
      expect(batch.applied).toEqual(singles.flatMap(({ applied }) => applied));
      expect(new Set(batch.changedKeys)).toEqual(new Set(singles.flatMap(({ changedKeys }) => changedKeys)));
    }),
  );
});

test('a batch with a gap is applied up to the gap, and nothing that stands behind it', () => {
  fc.assert(
    fc.property(arbHistory, (history) => {
      const [first, second, third] = history.changes;
      fc.pre(first !== undefined && second !== undefined && third !== undefined);
      const changes = [first, third, second] as Change[];
      const reduced = reduce(heldAfter([snapshotOf(history)]), { kind: 'batch', changes });
      expect(reduced).toMatchObject({ need: 'snapshot', applied: [first], refused: 0 });
      expectServerState(reduced.held, history);
    }),
  );
});

test('a doubled change is refused, counted, and changes no reference', () => {
  fc.assert(
    fc.property(arbHistory, (history) => {
      const held = heldAfter([snapshotOf(history), ...history.changes.map(changeOf)]);
      for (const change of history.changes) {
        const again = reduce(held, changeOf(change));
        expect(again).toMatchObject({ refused: 1, changedKeys: [], applied: [], need: undefined });
        expect(again.held).toBe(held);
      }
    }),
  );
});

test('a snapshot of a lower revision of the same epoch is refused', () => {
  fc.assert(
    fc.property(arbHistory, (history) => {
      fc.pre(history.changes.length > 0);
      const held = heldAfter([snapshotOf(history), ...history.changes.map(changeOf)]);
      const reduced = reduce(held, snapshotOf(history));
      expect(reduced).toMatchObject({ refused: 1, need: undefined, changedKeys: [] });
      expect(reduced.held).toBe(held);
    }),
  );
});

test('the same snapshot again names no changed keys', () => {
  fc.assert(
    fc.property(arbHistory, (history) => {
      const held = heldAfter([snapshotOf(history)]);
      const again = reduce(held, structuredClone(snapshotOf(history)));
      expect(again).toMatchObject({ changedKeys: [], need: undefined, refused: 0 });
      expect(again.held).toEqual(held);
    }),
  );
});

test('a snapshot of another epoch replaces everything, whatever its revision', () => {
  fc.assert(
    fc.property(arbHistory, arbHistory, (old, fresh) => {
      fc.pre(old.snapshot.epoch !== fresh.snapshot.epoch);
      const held = heldAfter([snapshotOf(old), ...old.changes.map(changeOf), snapshotOf(fresh)]);
      expectServerState(held, fresh);
    }),
  );
});

test('a change of another epoch asks for a snapshot', () => {
  const held = heldAfter([
    { kind: 'snapshot', snapshot: { epoch: 'a', revision: 1, flags: [] }, timestampMs: 0 },
  ]);
  const reduced = reduce(held, changeOf(changeAt(2, 'b')));
  expect(reduced.need).toBe('snapshot');
  expect(reduced.held).toBe(held);
});

test('a change before any snapshot asks for one', () => {
  expect(reduce(undefined, changeOf(changeAt(1)))).toMatchObject({ held: undefined, need: 'snapshot' });
});

test('with a filter, a jump in revisions is no gap, and duplicates are still refused', () => {
  const snapshot: Message = {
    kind: 'snapshot',
    snapshot: { epoch: 'a', revision: 1, flags: [] },
    timestampMs: 0,
  };
  const start = reduce(undefined, snapshot, true).held;
  const jumped = reduce(start, changeOf(changeAt(5)));
  expect(jumped).toMatchObject({ need: undefined, held: { revision: 5 } });
  expect(reduce(jumped.held, changeOf(changeAt(4)))).toMatchObject({ refused: 1, held: { revision: 5 } });
});

test('a snapshot names the keys that are new, different or gone', () => {
  const [same, before, after, gone, fresh] = [
    buildFlag('same', { id: 1 }),
    buildFlag('edited', { id: 2 }),
    buildFlag('edited', { id: 2, enabled: false }),
    buildFlag('gone', { id: 3 }),
    buildFlag('fresh', { id: 4 }),
  ];
  const at = (revision: number, flags: readonly Flag[]): Message => ({
    kind: 'snapshot',
    snapshot: { epoch: 'a', revision, flags },
    timestampMs: 0,
  });
  const held = heldAfter([at(1, [same, before, gone])]);
  const { changedKeys } = reduce(held, at(2, [structuredClone(same), after, fresh]));
  expect(new Set(changedKeys)).toEqual(new Set(['edited', 'gone', 'fresh']));
});

test.each<Message>([
  { kind: 'bye', retryAfterMs: 0, reason: '' },
  { kind: 'unknown', type: 'x' },
])('a message of kind $kind changes nothing', (message) => {
  const held = heldAfter([
    { kind: 'snapshot', snapshot: { epoch: 'a', revision: 1, flags: [] }, timestampMs: 0 },
  ]);
  expect(reduce(held, message)).toEqual({ held, changedKeys: [], applied: [], need: undefined, refused: 0 });
  expect(reduce(held, message).held).toBe(held);
});

function changeAt(revision: number, epoch = 'a'): Change {
  const flag = buildFlag('f');
  return { type: 'FLAG_UPDATED', epoch, revision, timestampMs: 0, flagID: flag.id, flagKey: flag.key, flag };
}
