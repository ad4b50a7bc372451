/** What holds for every flag and everybody who asks: what an answer depends on, and what a change can do to it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBlank } from '../../src/core/evaluate/text.ts';
import type { Flag } from '../../src/core/model.ts';
import {
  arbContext,
  arbEntityID,
  arbFlags,
  arbPercent,
  arbRequest,
  ask,
  changed,
  neededFor,
  RUNS,
} from './evaluate-kit.ts';

const SOME_KEY = fc.constantFrom('a', 'b', 'c', 'd');

/** Random flags often refuse for another reason than the one that is tested; a property that hardly saw its case has shown nothing. */
function expectMany(count: number): void {
  expect(count).toBeGreaterThan(50);
}

/** For properties whose case is rare. */
const MORE_RUNS = { ...RUNS, numRuns: 4 * RUNS.numRuns };

test('flags that the asked one does not depend on make no difference', () => {
  let matches = 0;
  fc.assert(
    fc.property(arbFlags, arbFlags, arbRequest, (flags, others, request) => {
      const needed = neededFor(request.flagKey ?? '', flags);
      const alone = ask(needed, request);
      expect(ask(flags, request)).toEqual(alone);
      const keys = new Set([...needed.map(({ key }) => key), 'missing']);
      const ids = new Set(needed.map(({ id }) => id));
      const strangers = others.filter(({ key, id }) => !keys.has(key) && !ids.has(id));
      expect(ask([...strangers, ...needed.toReversed()], request)).toEqual(alone);
      if (alone.reason === 'MATCH') matches += 1;
    }),
    RUNS,
  );
  expectMany(matches);
});

test('properties that no constraint names, those that the context inherits, and the order of all make no difference', () => {
  fc.assert(
    fc.property(arbFlags, arbRequest, fc.dictionary(fc.string(), fc.jsonValue()), (flags, request, more) => {
      const entries = Object.entries(request.entityContext ?? {});
      const named = ['tier', 'age', '__proto__'];
      const strange = Object.entries(more).filter(([name]) => !named.includes(name));
      const entityContext = Object.fromEntries([...strange, ...entries.toReversed()]);
      const heir = Object.create(
        { tier: 'premium', age: 18 },
        Object.getOwnPropertyDescriptors(entityContext),
      );
      expect(ask(flags, { ...request, entityContext })).toEqual(ask(flags, request));
      expect(ask(flags, { ...request, entityContext: heir })).toEqual(ask(flags, request));
    }),
    RUNS,
  );
});

test('neither copies nor earlier questions make a difference, and frozen flags and requests will do', () => {
  fc.assert(
    fc.property(arbFlags, fc.array(arbRequest, { minLength: 1, maxLength: 4 }), (flags, requests) => {
      const answers = requests.map((request) => ask(structuredClone(flags), request));
      deepFreeze(flags);
      deepFreeze(requests);
      expect(requests.map((request) => ask(flags, request))).toEqual(answers);
      expect(requests.toReversed().map((request) => ask(flags, request))).toEqual(answers.toReversed());
    }),
    RUNS,
  );
});

test('a flag is the same by its id as by its key', () => {
  fc.assert(
    fc.property(arbFlags, arbRequest, SOME_KEY, (flags, { flagKey: _, ...entity }, flagKey) => {
      const flagID = flags.find(({ key }) => key === flagKey)?.id as number;
      expect(ask(flags, { ...entity, flagID })).toEqual(ask(flags, { ...entity, flagKey }));
    }),
    RUNS,
  );
});

test('raising the rollout of a segment never takes a variant away, and changes none that an earlier segment or the same gave', () => {
  let letIn = 0;
  let stayed = 0;
  fc.assert(
    fc.property(
      fc.record({
        flags: arbFlags,
        request: arbRequest,
        flagKey: SOME_KEY,
        at: fc.nat({ max: 2 }),
        up: arbPercent,
      }),
      ({ flags, request, flagKey, at, up }) => {
        const [before, after] = [flags, raise(flags, flagKey, at, up)].map((some) =>
          ask(some, { ...request, flagKey }),
        );
        const ranked = rankedIDs(flags, flagKey);
        if (before?.reason !== 'MATCH') {
          if (after?.reason === 'MATCH') letIn += 1;
          return;
        }
        stayed += 1;
        expect(after?.reason).toBe('MATCH');
        const raisedID = flags.find(({ key }) => key === flagKey)?.segments[at]?.id ?? Number.NaN;
        const isLater = ranked.indexOf(before.segmentID ?? Number.NaN) > ranked.indexOf(raisedID);
        if (raisedID === after?.segmentID && isLater) return;
        expect(after).toEqual(before);
      },
    ),
    MORE_RUNS,
  );
  expectMany(letIn);
  expectMany(stayed);
});

function raise(flags: readonly Flag[], flagKey: string, at: number, up: number): readonly Flag[] {
  return changed(flags, flagKey, ({ segments }) => ({
    segments: segments.map((segment, index) =>
      index === at ? { ...segment, rolloutPercent: Math.min(100, segment.rolloutPercent + up) } : segment,
    ),
  }));
}

/** In the order in which they are tried. */
function rankedIDs(flags: readonly Flag[], flagKey: string): readonly number[] {
  const segments = flags.find(({ key }) => key === flagKey)?.segments ?? [];
  return [0, 1, 2].flatMap((rank) => segments.filter((segment) => segment.rank === rank).map(({ id }) => id));
}

test('a rollout of 0 % lets nobody in and one of 100 % everybody whom the constraints let through', () => {
  fc.assert(
    fc.property(arbFlags, arbEntityID, arbContext, SOME_KEY, (flags, entityID, entityContext, flagKey) => {
      const withRollout = (rolloutPercent: number) =>
        changed(flags, flagKey, ({ segments }) => ({
          enabled: true,
          dependsOn: [],
          segments: segments.map((segment) => ({ ...segment, rolloutPercent })),
        }));
      const request = { flagKey, entityID, entityContext, enableDebug: true };
      expect(ask(withRollout(0), request).variantID).toBeNull();
      const steps = ask(withRollout(100), request).steps ?? [];
      const why = isBlank(entityID) ? 'no_entity' : 'no_distributions';
      for (const step of steps) if (step.is === 'left_out') expect(step.why).toBe(why);
    }),
    RUNS,
  );
});

test('a dependency more can only take variants away, wherever it is added', () => {
  let taken = 0;
  fc.assert(
    fc.property(
      arbFlags,
      arbRequest,
      SOME_KEY,
      fc.constantFrom('a', 'b', 'c', 'd', 'missing'),
      (flags, request, to, on) => {
        const before = ask(flags, request);
        const after = ask(
          changed(flags, to, ({ dependsOn }) => ({ dependsOn: [...dependsOn, on] })),
          request,
        );
        if (after.reason === 'MATCH') expect(after).toEqual(before);
        else if (before.reason === 'MATCH') {
          taken += 1;
          expect(after.reason).toBe('DEPENDENCY_NOT_MET');
        }
      },
    ),
    MORE_RUNS,
  );
  expectMany(taken);
});

test('a disabled flag gives no variant, nor does any flag that depends on it', () => {
  let dependent = 0;
  fc.assert(
    fc.property(arbFlags, arbRequest, SOME_KEY, (flags, request, off) => {
      const disabled = changed(flags, off, () => ({ enabled: false }));
      expect(ask(disabled, { ...request, flagKey: off }).reason).toBe('FLAG_DISABLED');
      const needed = neededFor(request.flagKey ?? '', disabled).map(({ key }) => key);
      if (!needed.includes(off)) return;
      if (request.flagKey !== off) dependent += 1;
      expect(ask(disabled, request).variantID).toBeNull();
    }),
    MORE_RUNS,
  );
  expectMany(dependent);
});

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
}
