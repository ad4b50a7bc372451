/** Flags as REST and the evaluation-cache export spell them: every field is there, as null or [] when empty. */
import type { Constraint, Distribution, Segment, Variant } from '../../core/model.ts';
import type { FlagRecord } from '../record.ts';

export function flagResponse({ flag, ...beside }: FlagRecord): object {
  return {
    id: flag.id,
    key: flag.key,
    description: flag.description,
    createdBy: beside.createdBy,
    updatedBy: beside.updatedBy,
    enabled: flag.enabled,
    snapshotID: flag.snapshotID,
    notes: beside.notes,
    dataRecordsEnabled: flag.dataRecordsEnabled,
    entityType: flag.entityType,
    environmentId: beside.environmentId,
    projectId: beside.projectId,
    dependsOn: flag.dependsOn,
    segments: flag.segments.map((segment) => segmentResponse(flag.id, segment)),
    variants: flag.variants.map((variant) => variantResponse(flag.id, variant)),
    tags: flag.tags,
    updatedAt: flag.updatedAt,
    archived: beside.archived,
  };
}

/** Without `preload`, Flagent lists flags with their tags only. */
export function flagListResponse(record: FlagRecord): object {
  return { ...flagResponse(record), segments: [], variants: [] };
}

export function segmentResponse(flagID: number, segment: Segment): object {
  const { id, description, rank, rolloutPercent } = segment;
  return {
    id,
    flagID,
    description,
    rank,
    rolloutPercent,
    constraints: segment.constraints.map((constraint) => constraintResponse(id, constraint)),
    distributions: segment.distributions.map((distribution) => distributionResponse(id, distribution)),
  };
}

export function constraintResponse(segmentID: number, { id, ...rule }: Constraint): object {
  return { id, segmentID, ...rule };
}

export function distributionResponse(segmentID: number, { id, ...share }: Distribution): object {
  return { id, segmentID, ...share };
}

export function variantResponse(flagID: number, { id, key, attachment }: Variant): object {
  return { id, flagID, key, attachment };
}

/**
 * Flagent's evaluation-cache export: ids end in a lower-case d, and there is no projectId nor archived. Unlike Flagent's, ours holds
 * disabled flags too, and `dependsOn`, so that it can be imported without loss.
 */
export function exportResponse({ flag, ...beside }: FlagRecord): object {
  return {
    id: flag.id,
    key: flag.key,
    description: flag.description,
    createdBy: beside.createdBy,
    updatedBy: beside.updatedBy,
    enabled: flag.enabled,
    snapshotId: flag.snapshotID,
    notes: beside.notes,
    dataRecordsEnabled: flag.dataRecordsEnabled,
    entityType: flag.entityType,
    environmentId: beside.environmentId,
    dependsOn: flag.dependsOn,
    segments: flag.segments.map((segment) => exportedSegment(flag.id, segment)),
    variants: flag.variants.map(({ id, key, attachment }) => ({ id, flagId: flag.id, key, attachment })),
    tags: flag.tags,
    updatedAt: flag.updatedAt,
  };
}

function exportedSegment(flagId: number, segment: Segment): object {
  const { id, description, rank, rolloutPercent, constraints, distributions } = segment;
  return {
    id,
    flagId,
    description,
    rank,
    rolloutPercent,
    constraints: constraints.map(({ id: own, ...rule }) => ({ id: own, segmentId: id, ...rule })),
    distributions: distributions.map(({ id: own, variantID, variantKey, percent }) => ({
      id: own,
      segmentId: id,
      variantId: variantID,
      variantKey,
      percent,
    })),
  };
}
