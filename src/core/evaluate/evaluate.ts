/** Which variant of a flag an entity gets, decided from the flags at hand as a Flagent 0.1.7 server decides it. No input throws. */
import type { Distribution, Flag } from '../model.ts';
import { type PreparedSegment, prepareSegments } from './prepare.ts';
import { chooseDistribution } from './rollout.ts';
import { isBlank, textOf } from './text.ts';

/** Who asks, and for which flag. `flagID` wins over `flagKey`. */
export interface EvaluationRequest {
  readonly flagKey?: string;
  readonly flagID?: number;
  /** Blank or absent: no variant, `ENTITY_ID_MISSING`. A server would invent a random id; a pure function cannot. */
  readonly entityID?: string;
  /** Default: the flag's own entity type. */
  readonly entityType?: string;
  /** Strings, numbers and booleans; compared as text. Anything else counts as absent, and absent matches no operator. */
  readonly entityContext?: Readonly<Record<string, unknown>>;
  readonly enableDebug?: boolean;
}

export type EvaluationReason =
  | 'MATCH'
  | 'NO_MATCH'
  | 'NO_SEGMENTS'
  | 'FLAG_DISABLED'
  | 'FLAG_NOT_FOUND'
  /** A flag in `dependsOn` is missing, yields no variant, or leads back to itself. */
  | 'DEPENDENCY_NOT_MET'
  | 'ENTITY_ID_MISSING';

export interface EvaluationResult {
  readonly flagID: number;
  readonly flagKey: string;
  readonly flagSnapshotID: number;
  /** The last segment looked at, also when nothing matched. */
  readonly segmentID: number | null;
  readonly variantID: number | null;
  readonly variantKey: string | null;
  readonly variantAttachment: Readonly<Record<string, string>> | null;
  readonly reason: EvaluationReason;
  readonly entityID: string;
  readonly entityType: string;
  /** What happened in each segment; only with `enableDebug`. What concerns the whole flag has segmentID 0. */
  readonly steps?: readonly EvaluationStep[];
}

export interface EvaluationStep {
  readonly segmentID: number;
  readonly message: string;
}

/** Where flags are looked up. */
export interface FlagLookup {
  byKey(key: string): Flag | undefined;
  byID(id: number): Flag | undefined;
}

export function evaluate(flags: FlagLookup, request: EvaluationRequest): EvaluationResult {
  const { flagID, flagKey } = request;
  const flag = flagID == null ? flags.byKey(flagKey ?? '') : flags.byID(flagID);
  const entityID = textOf(request.entityID) ?? '';
  const steps: EvaluationStep[] = [];
  const { reason, segmentID, chosen } =
    flag === undefined
      ? without('FLAG_NOT_FOUND', steps, `flagID ${flagID ?? 0} not found or deleted`)
      : decide(flag, { flags, entityID, context: request.entityContext ?? {}, isMet: new Map() }, steps);
  const variant = chosen && flag?.variants.find(({ id }) => id === chosen.variantID);
  return {
    flagID: flag?.id ?? flagID ?? 0,
    flagKey: flag?.key ?? flagKey ?? '',
    flagSnapshotID: flag?.snapshotID ?? 0,
    segmentID,
    variantID: chosen?.variantID ?? null,
    variantKey: variant?.key ?? chosen?.variantKey ?? null,
    variantAttachment: variant?.attachment ?? null,
    reason,
    entityID,
    entityType: textOf(request.entityType) ?? flag?.entityType ?? '',
    ...(request.enableDebug && { steps }),
  };
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
  readonly isMet: Map<string, boolean>;
}

interface Decision {
  readonly reason: EvaluationReason;
  readonly segmentID: number | null;
  readonly chosen?: Distribution;
}

function without(reason: EvaluationReason, steps: EvaluationStep[], message: string): Decision {
  steps.push({ segmentID: 0, message });
  return { reason, segmentID: null };
}

function decide(flag: Flag, asking: Asking, steps: EvaluationStep[]): Decision {
  const { id } = flag;
  if (!flag.enabled) return without('FLAG_DISABLED', steps, `flagID ${id} is not enabled`);
  if (flag.segments.length === 0) return without('NO_SEGMENTS', steps, `flagID ${id} has no segments`);
  asking.isMet.set(flag.key, false);
  const unmet = flag.dependsOn.find((key) => !isDependencyMet(key, asking));
  if (unmet !== undefined) {
    const what = asking.flags.byKey(unmet) ? 'is disabled or has no variant' : 'not found';
    return without('DEPENDENCY_NOT_MET', steps, `dependency "${unmet}" ${what}`);
  }
  return walkSegments(flag, asking, steps);
}

/** Each flag is decided once, however many ways lead to it. Beyond `MAX_DEPENDENCIES` none is met. */
function isDependencyMet(key: string, asking: Asking): boolean {
  const known = asking.isMet.get(key);
  if (known !== undefined) return known;
  const flag = asking.isMet.size < MAX_DEPENDENCIES ? asking.flags.byKey(key) : undefined;
  const isMet = flag !== undefined && decide(flag, asking, []).reason === 'MATCH';
  asking.isMet.set(key, isMet);
  return isMet;
}

/** Flags that one evaluation may depend on, directly or not; keeps a hostile snapshot from overflowing the stack. */
const MAX_DEPENDENCIES = 1_000;

function walkSegments(flag: Flag, { entityID, context }: Asking, steps: EvaluationStep[]): Decision {
  const hasEntity = !isBlank(entityID);
  let segmentID: number | null = null;
  for (const segment of prepareSegments(flag)) {
    segmentID = segment.id;
    if (!matchesAll(segment, context)) {
      steps.push({ segmentID, message: `segment_id ${segmentID} did not match constraints` });
      continue;
    }
    const { rolloutPercent, distributions } = segment;
    const chosen = hasEntity && chooseDistribution(flag.id, entityID, rolloutPercent, distributions);
    const outcome = chosen ? `yes. variantID: ${chosen.variantID}` : 'no.';
    steps.push({ segmentID, message: `matched all constraints. rollout ${outcome}` });
    if (chosen) return { reason: 'MATCH', segmentID, chosen };
  }
  return { reason: hasEntity ? 'NO_MATCH' : 'ENTITY_ID_MISSING', segmentID };
}

function matchesAll({ constraints }: PreparedSegment, context: Asking['context']): boolean {
  return constraints.every(({ property, test }) => {
    // Own properties only: `constructor` is no property of an entity.
    const text = Object.hasOwn(context, property) ? textOf(context[property]) : undefined;
    return text !== undefined && test(text);
  });
}
