/** Flags that no server sends and questions that no page should ask. */
import fc from 'fast-check';
import type { EvaluationRequest } from '../../src/core/evaluate/evaluation.ts';
import { CONSTRAINT_OPERATORS, type Flag } from '../../src/core/model.ts';
import { arbFlag } from '../kit/arbitraries.ts';
import { arbEntityID, mostly } from './evaluate-kit.ts';

const arbNonsenseNumber = fc.oneof(
  fc.double(),
  fc.constantFrom(-1, -0, 101, 2 ** 53, 2 ** 31, Number.NaN, Number.NEGATIVE_INFINITY),
);
const arbNonsenseText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', '\ud800', 'a'),
);

/** Texts and numbers that make no sense; the shape alone is right, as decoders see to it. */
const arbNonsenseFlag: fc.Arbitrary<Flag> = fc
  .record({
    flag: arbFlag,
    id: arbNonsenseNumber,
    dependsOn: mostly<string[]>([], fc.array(arbNonsenseText, { maxLength: 2 })),
    segments: fc.array(
      fc.record({
        id: arbNonsenseNumber,
        rank: arbNonsenseNumber,
        rolloutPercent: arbNonsenseNumber,
        constraints: fc.array(
          fc.record({
            id: arbNonsenseNumber,
            property: fc.oneof(fc.constant('a'), arbNonsenseText),
            operator: fc.oneof(fc.constantFrom(...CONSTRAINT_OPERATORS), arbNonsenseText),
            value: arbNonsenseText,
          }),
          { maxLength: 3 },
        ),
        distributions: fc.array(
          fc.record({
            id: arbNonsenseNumber,
            variantID: arbNonsenseNumber,
            variantKey: fc.option(arbNonsenseText),
            percent: arbNonsenseNumber,
          }),
          { maxLength: 3 },
        ),
      }),
      { maxLength: 4 },
    ),
  })
  .map(({ flag, id, dependsOn, segments }) => ({
    ...flag,
    id,
    dependsOn,
    enabled: flag.enabled || segments.length > 1,
    segments: segments.map((segment) => ({ ...segment, description: '' })),
  }));

/** JSON at every place of a request, also where a page would hold a string. */
export const arbNonsenseRequest = fc.record(
  {
    flagKey: fc.oneof(fc.constant('a'), fc.jsonValue()),
    flagID: fc.jsonValue(),
    entityID: fc.oneof(arbEntityID, fc.jsonValue()),
    entityType: fc.jsonValue(),
    entityContext: fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom('a', '__proto__', 'constructor'), fc.jsonValue()),
    ),
    enableDebug: fc.boolean(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<EvaluationRequest>;

/** The first one has the key `a`. */
export const arbNonsenseFlags = fc
  .array(arbNonsenseFlag, { minLength: 1, maxLength: 4 })
  .map((flags) => flags.map((flag, index) => (index === 0 ? { ...flag, key: 'a' } : flag)));
