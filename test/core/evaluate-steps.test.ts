/** The steps of an answer are its whole reason, in words too, and asking for them changes nothing. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeStep, flagentLogOf } from '../../src/core/evaluate/describe-step.ts';
import type {
  EvaluationReason,
  EvaluationRequest,
  EvaluationResult,
  EvaluationStep,
} from '../../src/core/evaluate/evaluation.ts';
import { isBlank, textOf } from '../../src/core/evaluate/text.ts';
import type { Segment } from '../../src/core/model.ts';
import { arbFlags, arbRequest, ask, RUNS } from './evaluate-kit.ts';
import { arbNonsenseFlags, arbNonsenseRequest } from './evaluate-nonsense.ts';

test('the answer with steps is the answer without them, and the steps', () => {
  fc.assert(
    fc.property(arbFlags, arbRequest, (flags, request) => {
      const { steps, ...answer } = ask(flags, { ...request, enableDebug: true });
      expect(answer).toEqual(ask(flags, request));
      expect(steps?.length).toBeGreaterThan(0);
    }),
    RUNS,
  );
});

/** The kinds of the only step of an answer without segments. */
const LONELY: Readonly<Partial<Record<EvaluationReason, readonly EvaluationStep['is'][]>>> = {
  FLAG_NOT_FOUND: ['not_found'],
  FLAG_DISABLED: ['disabled'],
  NO_SEGMENTS: ['no_segments'],
  DEPENDENCY_NOT_MET: ['dependency_missing', 'dependency_unmet'],
};

test('the steps are one for each segment that was tried, in order, up to the one that lets in, or say why none was', () => {
  fc.assert(
    fc.property(arbFlags, arbRequest, (flags, request) => {
      const result = ask(flags, { ...request, enableDebug: true });
      const steps = result.steps ?? [];
      const kinds = steps.map(({ is }) => is);
      const lonely = LONELY[result.reason];
      if (lonely !== undefined) {
        expect(kinds).toHaveLength(1);
        expect(lonely).toContain(kinds[0]);
        expect(result).toMatchObject({ segmentID: null, variantID: null });
        return;
      }
      const segments = flags.find(({ key }) => key === request.flagKey)?.segments ?? [];
      const ranked = segments.toSorted((a, b) => a.rank - b.rank);
      const tried = steps.map((step) => ('segmentID' in step ? step.segmentID : undefined));
      expect(tried).toEqual(ranked.slice(0, tried.length).map(({ id }) => id));
      expect(result.segmentID).toBe(tried.at(-1));
      expect(kinds.indexOf('let_in')).toBe(result.reason === 'MATCH' ? kinds.length - 1 : -1);
      if (result.reason !== 'MATCH') expect(tried).toHaveLength(segments.length);
      for (const [index, step] of steps.entries()) checkStep(step, ranked[index], { request, result });
    }),
    { ...RUNS, numRuns: 3_000 },
  );
});

function checkStep(
  step: EvaluationStep,
  segment: Segment | undefined,
  { request, result }: { readonly request: EvaluationRequest; readonly result: EvaluationResult },
): void {
  if (step.is === 'constraint_failed') {
    const found = new Map(Object.entries(request.entityContext ?? {})).get(step.constraint.property);
    expect(segment?.constraints).toContain(step.constraint);
    expect(step.text).toBe(textOf(found) ?? null);
  } else if (step.is === 'left_out') {
    const isOut = step.rolloutPercent < 100 && step.bucket >= step.rolloutPercent * 10;
    const isEmpty = segment?.distributions.length === 0;
    const isNobody = isBlank(request.entityID ?? '');
    expect(step.rolloutPercent).toBe(segment?.rolloutPercent);
    expect(step.why).toBe(isNobody ? 'no_entity' : isEmpty ? 'no_distributions' : 'rollout');
    expect(isNobody || isEmpty || isOut).toBe(true);
  } else if (step.is === 'let_in') {
    expect(step.variantID).toBe(result.variantID);
    expect(step.rolloutPercent === 100 || step.bucket < step.rolloutPercent * 10).toBe(true);
    expect(segment?.distributions.map(({ variantID }) => variantID)).toContain(step.variantID);
  }
}

test('every step has its words, which name its segment, and its line of a Flagent log', () => {
  const seen = new Set<string>();
  const arbCase = fc.oneof(
    fc.record({ flags: arbFlags, request: arbRequest }),
    fc.record({ flags: arbNonsenseFlags, request: arbNonsenseRequest }),
  );
  fc.assert(
    fc.property(arbCase, ({ flags, request }) => {
      for (const step of ask(flags, { ...request, enableDebug: true }).steps ?? []) {
        seen.add(step.is);
        const segmentID = 'segmentID' in step ? step.segmentID : 0;
        expect(describeStep(step)).toMatch(
          'segmentID' in step ? `Segment ${segmentID}: ` : /^(?:There|The|It) .+\.$/s,
        );
        expect(flagentLogOf(step)).toEqual({ segmentID, msg: expect.stringMatching(/\S/) });
      }
    }),
    { ...RUNS, numRuns: 3_000 },
  );
  expect(seen.size).toBe(8);
});
