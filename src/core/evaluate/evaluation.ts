/** Question and answer of an evaluation, as types. */
import type { Attachment, VariantKey } from '../flag-types.ts';
import type { Constraint, Flag } from '../model.ts';
import type { CompilePattern, PatternProblem } from './pattern-contract.ts';

/** Who asks. */
export interface Entity {
  /** Blank or absent: no variant, `ENTITY_ID_MISSING`. A server would invent a random id; a pure function cannot. */
  readonly entityID?: string;
  /** Default: the flag's own entity type. */
  readonly entityType?: string;
  /** Strings, numbers and booleans; compared as text. Anything else counts as absent, and absent matches no operator. */
  readonly entityContext?: Readonly<Record<string, unknown>>;
}

/** Who asks, and for which flag. `flagID` wins over `flagKey`. */
export interface EvaluationRequest<K extends string = string> extends Entity {
  readonly flagKey?: K;
  readonly flagID?: number;
  /** The result then has `steps`. */
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

export interface EvaluationResult<K extends string = string> {
  readonly flagID: number;
  readonly flagKey: string;
  readonly flagSnapshotID: number;
  /** The last segment looked at, also when nothing matched. */
  readonly segmentID: number | null;
  readonly variantID: number | null;
  readonly variantKey: VariantKey<K> | null;
  readonly variantAttachment: Attachment<K> | null;
  readonly reason: EvaluationReason;
  readonly entityID: string;
  readonly entityType: string;
  /** Why the answer is what it is, in order; only with `enableDebug`. `describeStep` puts a step into words. */
  readonly steps?: readonly EvaluationStep[];
}

export type EvaluationStep =
  | { readonly is: 'not_found' | 'disabled' | 'no_segments'; readonly flagID: number }
  | { readonly is: 'dependency_missing' | 'dependency_unmet'; readonly flagKey: string }
  /** The first constraint of the segment that does not hold. */
  | {
      readonly is: 'constraint_failed';
      readonly segmentID: number;
      readonly constraint: Constraint;
      /** What the context has for the property; `null` when there is nothing that can be compared. */
      readonly text: string | null;
      /** Why the pattern of an EREG or NEREG could not decide. */
      readonly problem: PatternProblem | null;
    }
  /** All constraints hold, and the entity is not let in. */
  | {
      readonly is: 'left_out';
      readonly segmentID: number;
      readonly why: 'no_entity' | 'no_distributions' | 'rollout';
      readonly rolloutPercent: number;
      /** 0 to 999; the entity is in when it is below ten times the percentage. −1 without an entity id. */
      readonly bucket: number;
    }
  | {
      readonly is: 'let_in';
      readonly segmentID: number;
      readonly variantID: number;
      readonly rolloutPercent: number;
      readonly bucket: number;
    };

/** Where flags are looked up, and who reads their patterns. */
export interface FlagLookup {
  /** Passed in, because the pattern engine is larger than all the rest of evaluation, and few flags need it. */
  readonly compilePattern: CompilePattern;
  byKey(key: string): Flag | undefined;
  byID(id: number): Flag | undefined;
}
