/** Placeholder for the contract; the evaluator replaces this file. */
import type { Flag } from '../model.ts';

/** Who asks, and for which flag. `flagID` wins over `flagKey`. */
export interface EvaluationRequest {
  readonly flagKey?: string;
  readonly flagID?: number;
  readonly entityID?: string;
  readonly entityType?: string;
  /** Strings, numbers and booleans; compared as text. */
  readonly entityContext?: Readonly<Record<string, unknown>>;
  readonly enableDebug?: boolean;
}

export type EvaluationReason =
  | 'MATCH'
  | 'NO_MATCH'
  | 'NO_SEGMENTS'
  | 'FLAG_DISABLED'
  | 'FLAG_NOT_FOUND'
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
  /** What happened in each segment; only with `enableDebug`. */
  readonly steps?: readonly { readonly segmentID: number; readonly message: string }[];
}

export declare function evaluate(
  flags: { byKey(key: string): Flag | undefined; byID(id: number): Flag | undefined },
  request: EvaluationRequest,
): EvaluationResult;
