/** The steps of an evaluation in words: for people, and as a Flagent server logs them. */
import type { EvaluationStep } from './evaluation.ts';

/** One sentence for people. Shows the context's own text, so it belongs where the context may be seen. */
export function describeStep(step: EvaluationStep): string {
  switch (step.is) {
    case 'not_found':
      return 'There is no such flag.';
    case 'disabled':
      return 'The flag is disabled.';
    case 'no_segments':
      return 'The flag has no segments.';
    case 'dependency_missing':
      return `It depends on ${quote(step.flagKey)}, which does not exist.`;
    case 'dependency_unmet':
      return `It depends on ${quote(step.flagKey)}, which gives no variant.`;
    case 'constraint_failed':
      return `Segment ${step.segmentID}: ${describeFailure(step)}.`;
    case 'left_out':
      return `Segment ${step.segmentID}: the constraints hold, but ${describeExclusion(step)}.`;
    case 'let_in':
      return `Segment ${step.segmentID}: the constraints hold, and bucket ${step.bucket} is within ${step.rolloutPercent} %.`;
  }
}

/** The segment it belongs to, 0 for what concerns the whole flag, and the text that Flagent 0.1.7 writes into `evalDebugLog`. */
export function flagentLogOf(step: EvaluationStep): { readonly segmentID: number; readonly msg: string } {
  switch (step.is) {
    case 'not_found':
      return { segmentID: 0, msg: `flagID ${step.flagID} not found or deleted` };
    case 'disabled':
      return { segmentID: 0, msg: `flagID ${step.flagID} is not enabled` };
    case 'no_segments':
      return { segmentID: 0, msg: `flagID ${step.flagID} has no segments` };
    case 'dependency_missing':
      return { segmentID: 0, msg: `dependency "${step.flagKey}" not found` };
    case 'dependency_unmet':
      return { segmentID: 0, msg: `dependency "${step.flagKey}" is disabled or has no variant` };
    case 'constraint_failed':
      return {
        segmentID: step.segmentID,
        msg: `segment_id ${step.segmentID} did not match constraints`,
      };
    case 'left_out':
      return { segmentID: step.segmentID, msg: 'matched all constraints. rollout no.' };
    case 'let_in':
      return {
        segmentID: step.segmentID,
        msg: `matched all constraints. rollout yes. variantID: ${step.variantID}`,
      };
  }
}

type StepThat<Is> = Extract<EvaluationStep, { readonly is: Is }>;

function describeFailure({ constraint, text, problem }: StepThat<'constraint_failed'>): string {
  const { property, operator, value } = constraint;
  const wanted = `${operator} ${quote(value)}`;
  if (text === null) return `the context has no ${quote(property)} to compare (${wanted})`;
  const found = `${quote(property)} is ${quote(text)}`;
  if (problem === null) return `${found}, so ${wanted} does not hold`;
  return `${found}, but ${PROBLEMS[problem]} (${wanted})`;
}

const PROBLEMS = {
  invalid: 'the pattern is no valid regular expression',
  unsupported: 'the pattern uses what is not supported here',
  too_costly: 'the pattern takes too many steps on this text',
};

function describeExclusion({ why, bucket, rolloutPercent }: StepThat<'left_out'>): string {
  if (why === 'no_entity') return 'there is no entity id';
  if (why === 'no_distributions') return 'it has no distributions';
  return `bucket ${bucket} is not within ${rolloutPercent} %`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
