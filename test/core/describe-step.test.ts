/** An explanation in words, and in the words of a Flagent server. */
import { expect, test } from 'vitest';
import { describeStep, flagentLogOf } from '../../src/core/evaluate/describe-step.ts';
import type { EvaluationStep } from '../../src/core/evaluate/evaluation.ts';

const constraint = { id: 1, property: 'country', operator: 'EQ', value: 'DE' };
const failed = { is: 'constraint_failed', segmentID: 3, constraint, text: 'FR', problem: null } as const;
const out = { is: 'left_out', segmentID: 3, why: 'rollout', rolloutPercent: 20, bucket: 512 } as const;

test.each<[step: EvaluationStep, words: string, segmentID: number, log: string]>([
  [{ is: 'not_found', flagID: 0 }, 'There is no such flag.', 0, 'flagID 0 not found or deleted'],
  [{ is: 'disabled', flagID: 7 }, 'The flag is disabled.', 0, 'flagID 7 is not enabled'],
  [{ is: 'no_segments', flagID: 7 }, 'The flag has no segments.', 0, 'flagID 7 has no segments'],
  [
    { is: 'dependency_missing', flagKey: 'g' },
    'It depends on "g", which does not exist.',
    0,
    'dependency "g" not found',
  ],
  [
    { is: 'dependency_unmet', flagKey: 'g' },
    'It depends on "g", which gives no variant.',
    0,
    'dependency "g" is disabled or has no variant',
  ],
  [
    failed,
    'Segment 3: "country" is "FR", so EQ "DE" does not hold.',
    3,
    'segment_id 3 did not match constraints',
  ],
  [
    { ...failed, text: null },
    'Segment 3: the context has no "country" to compare (EQ "DE").',
    3,
    'segment_id 3 did not match constraints',
  ],
  [
    { ...failed, constraint: { ...constraint, operator: 'EREG', value: '(' }, problem: 'invalid' },
    'Segment 3: "country" is "FR", but the pattern is no valid regular expression (EREG "(").',
    3,
    'segment_id 3 did not match constraints',
  ],
  [
    out,
    'Segment 3: the constraints hold, but bucket 512 is not within 20 %.',
    3,
    'matched all constraints. rollout no.',
  ],
  [
    { ...out, why: 'no_entity', bucket: -1 },
    'Segment 3: the constraints hold, but there is no entity id.',
    3,
    'matched all constraints. rollout no.',
  ],
  [
    { ...out, why: 'no_distributions' },
    'Segment 3: the constraints hold, but it has no distributions.',
    3,
    'matched all constraints. rollout no.',
  ],
  [
    { is: 'let_in', segmentID: 3, variantID: 9, rolloutPercent: 60, bucket: 512 },
    'Segment 3: the constraints hold, and bucket 512 is within 60 %.',
    3,
    'matched all constraints. rollout yes. variantID: 9',
  ],
])('%j is said as "%s"', (step, words, segmentID, msg) => {
  expect(describeStep(step)).toBe(words);
  expect(flagentLogOf(step)).toEqual({ segmentID, msg });
});
