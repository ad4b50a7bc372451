/** The reason of an evaluation in the words of the page. */
import type { EvaluationReason } from 'flagent-offline';

const REASONS: Readonly<Record<EvaluationReason, string>> = {
  MATCH: 'A segment lets this entity in.',
  NO_MATCH: 'No segment lets this entity in.',
  NO_SEGMENTS: 'The flag has no segments.',
  FLAG_DISABLED: 'The flag is disabled.',
  FLAG_NOT_FOUND: 'This tab holds no such flag.',
  DEPENDENCY_NOT_MET: 'A flag that this one depends on gives no variant.',
  ENTITY_ID_MISSING: 'Without an entity id there is no place in a rollout.',
};

export function sayReason(reason: EvaluationReason): string {
  return REASONS[reason];
}
