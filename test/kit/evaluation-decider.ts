/** Who decides about flags, for the rows that all must decide alike: the evaluator itself, a server over REST, a client in a page. */
import { flagentLogOf } from '../../src/core/evaluate/describe-step.ts';
import type { EvaluationRequest, EvaluationResult } from '../../src/core/evaluate/evaluation.ts';
import type { Flag } from '../../src/core/model.ts';

export interface Decider {
  /** Answers in the order of the requests. The flags replace those of the call before. */
  decide(
    flags: readonly Flag[],
    requests: readonly EvaluationRequest[],
  ): readonly Answer[] | Promise<readonly Answer[]>;
  /** How many of the flags are chosen by these tags. */
  countTagged(
    flags: readonly Flag[],
    tags: readonly string[],
    operator: 'ANY' | 'ALL',
  ): number | Promise<number>;
}

/** A result with its steps as Flagent writes them. */
export interface Answer extends EvaluationResult {
  readonly message: string | undefined;
  /** Empty without `enableDebug`. */
  readonly log: readonly { readonly segmentID: number; readonly msg: string }[];
}

export function answerOf(result: EvaluationResult): Answer {
  const log = (result.steps ?? []).map(flagentLogOf);
  return { ...result, log, message: log[0]?.msg };
}

/** Where the entity lies among the 1000 buckets, as the last step of a debugged answer says it. */
export function bucketIn({ steps }: Answer): number | undefined {
  const last = steps?.at(-1);
  return last?.is === 'let_in' || last?.is === 'left_out' ? last.bucket : undefined;
}
