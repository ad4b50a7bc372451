/** Likely flags and questions, which often decide something, for properties of the evaluator. */
import fc from 'fast-check';
import { evaluate } from '../../src/core/evaluate/evaluate.ts';
import type { EvaluationRequest, EvaluationResult } from '../../src/core/evaluate/evaluation.ts';
import { CONSTRAINT_OPERATORS, type Constraint, type Flag, type Segment } from '../../src/core/model.ts';
import { lookup } from '../kit/flag-lookup.ts';
import { buildFlag } from '../kit/flags.ts';

/** The same runs every time; a failure prints the path to its example. */
export const RUNS = { seed: 5, numRuns: 1_000 } as const;

const PROPERTIES = ['tier', 'age', '__proto__'] as const;
const KEYS = ['a', 'b', 'c', 'd'] as const;

export const arbConstraint: fc.Arbitrary<Constraint> = fc.record({
  id: fc.nat({ max: 9 }),
  property: fc.constantFrom(...PROPERTIES),
  operator: fc.constantFrom(...CONSTRAINT_OPERATORS),
  value: fc.constantFrom('premium', '18', 'premium,18', '[a-z]+', '('),
});

const arbDistribution = fc.record({
  id: fc.nat({ max: 9 }),
  variantID: fc.nat({ max: 4 }),
  variantKey: fc.constantFrom('on', 'control', null),
  percent: fc.nat({ max: 100 }),
});

export const arbPercent = fc.oneof(fc.constantFrom(0, 100), fc.nat({ max: 100 }));

const arbSegment: fc.Arbitrary<Segment> = fc.record({
  id: fc.nat({ max: 99 }),
  description: fc.constant(''),
  rank: fc.nat({ max: 2 }),
  rolloutPercent: arbPercent,
  constraints: fc.array(arbConstraint, { maxLength: 2 }),
  distributions: fc.array(arbDistribution, { maxLength: 3 }),
});

/** Three times in four. */
export const mostly = <T>(usual: T, others: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: others });

const arbFacts = fc.record({
  enabled: mostly(true, fc.constant(false)),
  entityType: fc.constantFrom('user', null),
  dependsOn: mostly<string[]>([], fc.subarray([...KEYS, 'missing'])),
  segments: fc.uniqueArray(arbSegment, { maxLength: 3, selector: ({ id }) => id }),
});

/** Four flags, `a` to `d`, of which some depend on others. */
export const arbFlags: fc.Arbitrary<readonly Flag[]> = fc
  .record({
    ids: fc.uniqueArray(fc.nat({ max: 999 }), { minLength: KEYS.length, maxLength: KEYS.length }),
    facts: fc.array(arbFacts, { minLength: KEYS.length, maxLength: KEYS.length }),
  })
  .map(({ ids, facts }) =>
    KEYS.map((key, index) => buildFlag(key, { ...facts[index], id: ids[index] as number })),
  );

export const arbContext: fc.Arbitrary<Record<string, unknown>> = fc.dictionary(
  fc.constantFrom(...PROPERTIES),
  fc.constantFrom<unknown>('premium', '18', 18, 17.5, true, '', null, ['premium']),
);

export const arbEntityID = fc.oneof(
  fc.nat().map((number) => `user-${number}`),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

export const arbRequest: fc.Arbitrary<EvaluationRequest> = fc.record({
  flagKey: fc.constantFrom(...KEYS, 'missing'),
  entityID: arbEntityID,
  entityContext: arbContext,
});

const MANY_KEYS = [...'abcdefgh'];

/** Flags that let everybody in whose tier is `premium`, and depend on many of those after them. */
export const arbEntangledFlags: fc.Arbitrary<readonly Flag[]> = fc
  .tuple(...MANY_KEYS.map((_, index) => fc.subarray(MANY_KEYS.slice(index + 1))))
  .map((dependencies) =>
    MANY_KEYS.map((key, index) => {
      const flag = buildFlag(key, { id: index, dependsOn: dependencies[index] ?? [] });
      const constraints = [{ id: 1, property: 'tier', operator: 'EQ', value: 'premium' }];
      return { ...flag, segments: flag.segments.map((segment) => ({ ...segment, constraints })) };
    }),
  );

/** Asks a lookup of these flags. */
export function ask(flags: readonly Flag[], request: EvaluationRequest): EvaluationResult {
  return evaluate(lookup(flags), request);
}

/** Those of the flags that have the key, or lead to it by `dependsOn`. */
export function neededFor(flagKey: string, flags: readonly Flag[]): readonly Flag[] {
  const needed = new Set<Flag>();
  const visit = (key: string): void => {
    const flag = flags.find((one) => one.key === key);
    if (flag === undefined || needed.has(flag)) return;
    needed.add(flag);
    flag.dependsOn.forEach(visit);
  };
  visit(flagKey);
  return [...needed];
}

/** The same flags, one of them with other facts. */
export function changed(flags: readonly Flag[], key: string, change: (flag: Flag) => Partial<Flag>): Flag[] {
  return flags.map((flag) => (flag.key === key ? { ...flag, ...change(flag) } : flag));
}
