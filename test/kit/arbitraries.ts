/** Random flags, changes, snapshots, messages and whole server histories, as fast-check makes and shrinks them. */
import fc from 'fast-check';
import {
  CHANGE_TYPES,
  type Change,
  CONSTRAINT_OPERATORS,
  type Flag,
  type Segment,
  type Snapshot,
} from '../../src/core/model.ts';
import type { Message } from '../../src/core/protocol/messages.ts';

/** Any text, half surrogate pairs, line breaks and names of built-in properties among it. */
const arbText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '\ud800', 'a\r\nb\u2028'),
);

const arbKey = arbText.filter((text) => text !== '');
const arbID = fc.oneof(fc.nat({ max: 9 }), fc.maxSafeNat());
/** JSON has no negative zero. */
const arbNumber = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((number) => (number === 0 ? 0 : number));

export const arbConstraint = fc.record({
  id: arbID,
  property: fc.oneof(fc.constantFrom('tier', 'age'), arbText),
  operator: fc.oneof(fc.constantFrom(...CONSTRAINT_OPERATORS), arbText),
  value: fc.oneof(fc.constantFrom('premium', '18', 'a,b', '.*'), arbText),
});

const arbDistribution = fc.record({
  id: arbID,
  variantID: fc.nat({ max: 4 }),
  variantKey: fc.option(arbText),
  percent: fc.nat({ max: 100 }),
});

const arbSegment: fc.Arbitrary<Segment> = fc.record({
  id: arbID,
  description: arbText,
  rank: fc.nat({ max: 3 }),
  rolloutPercent: fc.nat({ max: 100 }),
  constraints: fc.array(arbConstraint, { maxLength: 2 }),
  distributions: fc.array(arbDistribution, { maxLength: 3 }),
});

const arbVariant = fc.record({
  id: fc.nat({ max: 4 }),
  key: arbKey,
  attachment: fc.option(fc.dictionary(arbText, arbText, { maxKeys: 3 }).map((entries) => ({ ...entries }))),
});

/** A flag as a decoder gives it; nothing in it needs to make sense together. */
export const arbFlag: fc.Arbitrary<Flag> = fc.record({
  id: arbID,
  key: arbKey,
  description: arbText,
  enabled: fc.boolean(),
  snapshotID: arbID,
  dataRecordsEnabled: fc.boolean(),
  entityType: fc.option(arbText),
  dependsOn: fc.array(arbText, { maxLength: 2 }),
  segments: fc.array(arbSegment, { maxLength: 3 }),
  variants: fc.array(arbVariant, { maxLength: 3 }),
  tags: fc.array(fc.record({ id: arbID, value: arbKey }), { maxLength: 2 }),
  updatedAt: fc.option(arbText),
});

/** Flags that can stand together: no key and no id twice. */
const arbFlags = fc.uniqueArray(arbFlag, {
  maxLength: 4,
  selector: (flag) => flag,
  comparator: (a, b) => a.key === b.key || a.id === b.id,
});

const arbEventId = fc.record({
  epoch: fc.stringMatching(/^[\w-]{1,64}$/),
  revision: fc.oneof(fc.nat({ max: 20 }), fc.maxSafeNat()),
});

export const arbChange: fc.Arbitrary<Change> = fc
  .record({
    type: fc.constantFrom(...CHANGE_TYPES),
    id: arbEventId,
    timestampMs: arbNumber,
    flag: arbFlag,
    segment: fc.option(fc.record({ segmentID: arbID })),
  })
  .map(({ type, id, timestampMs, flag, segment }) => ({
    type,
    ...id,
    timestampMs,
    flagID: flag.id,
    flagKey: flag.key,
    flag: type === 'FLAG_DELETED' ? null : flag,
    ...segment,
  }));

export const arbSnapshot: fc.Arbitrary<Snapshot> = fc
  .record({ id: arbEventId, flags: arbFlags })
  .map(({ id, flags }) => ({ ...id, flags }));

const arbBatch = fc
  .record({ epoch: arbEventId, changes: fc.array(arbChange, { minLength: 1, maxLength: 4 }) })
  .map(({ epoch: { epoch }, changes }) => changes.map((change) => ({ ...change, epoch })));

/** Every kind of message, as a decoder gives it. */
export const arbMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ kind: fc.constant('snapshot'), snapshot: arbSnapshot, timestampMs: arbNumber }),
  fc.record({ kind: fc.constant('change'), change: arbChange }),
  fc.record({ kind: fc.constant('batch'), changes: arbBatch }),
  fc.record({ kind: fc.constant('bye'), retryAfterMs: fc.maxSafeNat(), reason: arbText }),
  fc.record({ kind: fc.constant('unknown'), type: arbText.map((text) => `x-${text}`) }),
);

/** What a server went through: a snapshot, the changes after it, and all flags at each revision. */
export interface History {
  readonly snapshot: Snapshot;
  /** Consecutive, from the revision after the snapshot's. */
  readonly changes: readonly Change[];
  /** `states[n]`: the flags after the first n changes. */
  readonly states: readonly ReadonlyMap<string, Flag>[];
}

/** Five flags are created, edited and deleted in a possible order. */
export const arbHistory: fc.Arbitrary<History> = fc
  .record({
    id: fc.record({ epoch: fc.stringMatching(/^[a-z]{1,8}$/), revision: fc.nat({ max: 50 }) }),
    flags: fc.array(arbFlag, { minLength: 5, maxLength: 5 }),
    initial: fc.subarray([0, 1, 2, 3, 4]),
    edits: fc.array(
      fc.record({
        slot: fc.nat({ max: 4 }),
        type: fc.constantFrom(...CHANGE_TYPES.filter((type) => type !== 'FLAG_CREATED')),
        state: arbFlag,
      }),
      { maxLength: 12 },
    ),
  })
  .map(({ id, flags, initial, edits }) => {
    const named = (flag: Flag, slot: number): Flag => ({ ...flag, id: slot + 1, key: `flag-${slot}` });
    const first = initial.flatMap((slot) => flags.slice(slot, slot + 1).map((flag) => named(flag, slot)));
    const states = [new Map(first.map((flag) => [flag.key, flag]))];
    const changes = edits.map(({ slot, type: wanted, state }, index): Change => {
      const flag = named(state, slot);
      const before = states.at(-1) ?? new Map<string, Flag>();
      const type = before.has(flag.key) ? wanted : 'FLAG_CREATED';
      const after = new Map(before);
      if (type === 'FLAG_DELETED') after.delete(flag.key);
      else after.set(flag.key, flag);
      states.push(after);
      return {
        type,
        epoch: id.epoch,
        revision: id.revision + index + 1,
        timestampMs: index,
        flagID: flag.id,
        flagKey: flag.key,
        flag: type === 'FLAG_DELETED' ? null : flag,
      };
    });
    return { snapshot: { ...id, flags: first }, changes, states };
  });
