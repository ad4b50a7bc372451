/** Which variant of a flag an entity gets, decided from the flags at hand as a Flagent 0.1.7 server decides it. No input throws. */
import type { Flag } from '../model.ts';
import type {
  EvaluationReason,
  EvaluationRequest,
  EvaluationResult,
  EvaluationStep,
  FlagLookup,
} from './evaluation.ts';
import type { Pattern, PatternProblem } from './pattern-contract.ts';
import { type PreparedConstraint, type PreparedSegment, prepare, type Share } from './prepare.ts';
import { bucketOf, chooseShare } from './rollout.ts';
import { isBlank, textOf } from './text.ts';

export function evaluate(flags: FlagLookup, request: EvaluationRequest): EvaluationResult {
  const { flagID, flagKey, entityContext } = request;
  const flag = flagID == null ? flags.byKey(flagKey ?? '') : flags.byID(flagID);
  const entityID = textOf(request.entityID) ?? '';
  const steps: EvaluationStep[] | undefined = request.enableDebug ? [] : undefined;
  const context = typeof entityContext === 'object' && entityContext !== null ? entityContext : {};
  const { reason, segmentID, share } =
    flag === undefined
      ? without('FLAG_NOT_FOUND', steps, { is: 'not_found', flagID: flagID ?? 0 })
      : decide(flag, { flags, entityID, context, isMet: undefined }, steps);
  const result = {
    flagID: flag?.id ?? flagID ?? 0,
    flagKey: flag?.key ?? flagKey ?? '',
    flagSnapshotID: flag?.snapshotID ?? 0,
    segmentID,
    variantID: share?.variantID ?? null,
    variantKey: share?.variantKey ?? null,
    variantAttachment: share?.attachment ?? null,
    reason,
    entityID,
    entityType: textOf(request.entityType) ?? flag?.entityType ?? '',
  };
  return steps === undefined ? result : { ...result, steps };
}

/** A variant is set and it is not `control`. */
export function isEnabledResult({ variantKey }: EvaluationResult): boolean {
  return variantKey !== null && variantKey !== 'control';
}

/** One evaluation with all flags it depends on. */
interface Asking {
  readonly flags: FlagLookup;
  readonly entityID: string;
  readonly context: Readonly<Record<string, unknown>>;
  /** Dependencies already decided, or being decided: those count as not met, which ends cycles. */
  isMet: Map<string, boolean> | undefined;
}

interface Decision {
  readonly reason: EvaluationReason;
  readonly segmentID: number | null;
  readonly share: Share | undefined;
}

type Steps = EvaluationStep[] | undefined;

function without(reason: EvaluationReason, steps: Steps, step: EvaluationStep): Decision {
  steps?.push(step);
  return { reason, segmentID: null, share: undefined };
}

function decide(flag: Flag, asking: Asking, steps: Steps): Decision {
  const { id: flagID, dependsOn } = flag;
  if (!flag.enabled) return without('FLAG_DISABLED', steps, { is: 'disabled', flagID });
  if (flag.segments.length === 0) return without('NO_SEGMENTS', steps, { is: 'no_segments', flagID });
  if (dependsOn.length > 0) {
    asking.isMet ??= new Map();
    asking.isMet.set(flag.key, false);
    for (const flagKey of dependsOn) {
      if (isDependencyMet(flagKey, asking, asking.isMet)) continue;
      const is = asking.flags.byKey(flagKey) ? 'dependency_unmet' : 'dependency_missing';
      return without('DEPENDENCY_NOT_MET', steps, { is, flagKey });
    }
  }
  return walkSegments(flag, asking, steps);
}

/** Each flag is decided once, however many ways lead to it. Beyond `MAX_DEPENDENCIES` none is met. */
function isDependencyMet(key: string, asking: Asking, isMet: Map<string, boolean>): boolean {
  const known = isMet.get(key);
  if (known !== undefined) return known;
  const flag = isMet.size < MAX_DEPENDENCIES ? asking.flags.byKey(key) : undefined;
  const met = flag !== undefined && decide(flag, asking, undefined).reason === 'MATCH';
  isMet.set(key, met);
  return met;
}

/** Flags that one evaluation may depend on, directly or not; keeps a hostile snapshot from overflowing the stack. */
const MAX_DEPENDENCIES = 1_000;

function walkSegments(flag: Flag, { flags, entityID, context }: Asking, steps: Steps): Decision {
  const { salt, segments } = prepare(flag, flags.compilePattern);
  const hasEntity = !isBlank(entityID);
  /** Counted once and only when a segment lets somebody in. */
  let bucket = -1;
  let segmentID: number | null = null;
  for (const segment of segments) {
    segmentID = segment.id;
    const failed = firstFailure(segment, context);
    if (failed !== undefined) {
      steps?.push(explainFailure(segment.id, failed, { flags, context }));
      continue;
    }
    const { rolloutPercent, shares } = segment;
    if (hasEntity && bucket < 0) bucket = bucketOf(salt, entityID);
    const share = hasEntity ? chooseShare(shares, bucket, rolloutPercent) : undefined;
    if (share !== undefined) {
      steps?.push({ is: 'let_in', segmentID, variantID: share.variantID, rolloutPercent, bucket });
      return { reason: 'MATCH', segmentID, share };
    }
    const why = hasEntity ? (shares.length > 0 ? 'rollout' : 'no_distributions') : 'no_entity';
    steps?.push({ is: 'left_out', segmentID, why, rolloutPercent, bucket });
  }
  return { reason: hasEntity ? 'NO_MATCH' : 'ENTITY_ID_MISSING', segmentID, share: undefined };
}

function firstFailure(
  { constraints }: PreparedSegment,
  context: Asking['context'],
): PreparedConstraint | undefined {
  for (const prepared of constraints) {
    const text = textIn(context, prepared.property);
    if (text === undefined || !prepared.test(text)) return prepared;
  }
  return undefined;
}

/** Own properties only: `constructor` is no property of an entity. */
function textIn(context: Asking['context'], property: string): string | undefined {
  return Object.hasOwn(context, property) ? textOf(context[property]) : undefined;
}

function explainFailure(
  segmentID: number,
  { constraint, property }: PreparedConstraint,
  { flags, context }: Pick<Asking, 'flags' | 'context'>,
): EvaluationStep {
  const { operator, value } = constraint;
  const text = textIn(context, property) ?? null;
  const isPattern = operator === 'EREG' || operator === 'NEREG';
  const problem = isPattern && text !== null ? problemOf(flags.compilePattern(value), text) : null;
  return { is: 'constraint_failed', segmentID, constraint, text, problem };
}

function problemOf({ problem, test }: Pattern, text: string): PatternProblem | null {
  return problem ?? (test(text) === undefined ? 'too_costly' : null);
}
