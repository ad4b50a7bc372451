/** An evaluation as Flagent 0.1.7 spells it, with our `reason`, and our `steps` when they were asked for. */
import { flagentLogOf } from '../../core/evaluate/describe-step.ts';
import type { EvaluationResult } from '../../core/evaluate/evaluation.ts';
import { evaluateAsServer } from '../evaluate-flags.ts';
import type { FlagSource } from '../sources/contract.ts';
import type { AskedEvaluation } from './evaluation-requests.ts';

export function evaluationResponse(source: FlagSource, asked: AskedEvaluation, timestampMs: number): object {
  const result = evaluateAsServer(source, asked);
  const { segmentID, variantID, variantKey, variantAttachment, reason, steps } = result;
  return {
    ...flagOf(source, asked, result),
    segmentID,
    variantID,
    variantKey,
    variantAttachment,
    evalContext: contextOf(asked, result),
    evalDebugLog: debugLogOf(source, asked, result),
    timestamp: timestampMs,
    reason,
    ...(steps !== undefined && { steps }),
  };
}

/** Flagent's server only knows enabled flags: for it a disabled one is as good as deleted. Here `reason` tells the two apart. */
function isUnavailable({ reason }: EvaluationResult): boolean {
  return reason === 'FLAG_NOT_FOUND' || reason === 'FLAG_DISABLED';
}

function flagOf({ catalogue }: FlagSource, asked: AskedEvaluation, result: EvaluationResult): object {
  if (isUnavailable(result)) {
    return { flagID: asked.flagID ?? 0, flagKey: asked.flagKey ?? '', flagSnapshotID: 0, flagTags: [] };
  }
  const { flagID, flagKey, flagSnapshotID } = result;
  const tags = catalogue.records.get(flagID)?.flag.tags ?? [];
  return { flagID, flagKey, flagSnapshotID, flagTags: tags.map(({ value }) => value) };
}

/** As it was evaluated, or as it was sent when there was nothing to evaluate. */
function contextOf(asked: AskedEvaluation, result: EvaluationResult): object {
  const { entityID = null, entityType = null, entityContext = null } = asked;
  if (isUnavailable(result)) return { entityID, entityType, entityContext };
  return { entityID: result.entityID, entityType: result.entityType, entityContext };
}

/** Without a variant there is always a log, and its segments only with `enableDebug`. */
function debugLogOf(source: FlagSource, asked: AskedEvaluation, result: EvaluationResult): object | null {
  const { variantID, steps = [] } = result;
  if (variantID !== null && !asked.enableDebug) return null;
  return {
    msg: variantID === null ? messageOf(source, asked, result) : '',
    segmentDebugLogs: steps.map(flagentLogOf),
  };
}

function messageOf(source: FlagSource, asked: AskedEvaluation, result: EvaluationResult): string {
  if (isUnavailable(result)) return `flagID ${asked.flagID ?? 0} not found or deleted`;
  const [first] = result.steps ?? whyBeforeSegments(source, asked, result);
  return first === undefined ? '' : flagentLogOf(first).msg;
}

/** What ends an evaluation before its first segment is said even without `enableDebug`; such an evaluation is cheap to repeat. */
function whyBeforeSegments(
  source: FlagSource,
  asked: AskedEvaluation,
  { reason, entityID }: EvaluationResult,
): NonNullable<EvaluationResult['steps']> {
  if (reason !== 'NO_SEGMENTS' && reason !== 'DEPENDENCY_NOT_MET') return [];
  return evaluateAsServer(source, { ...asked, entityID, enableDebug: true }).steps ?? [];
}
