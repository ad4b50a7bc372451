/** Edits of segments, and of the constraints and distributions inside them. */
import type { Constraint, Distribution, Segment } from '../../core/model.ts';
import { fail } from '../../core/protocol/read.ts';
import { type Edit, editFlag, partOf, withPart, withSegment } from './edit-flag.ts';
import type { SegmentInput } from './inputs.ts';

/** New segments come last. */
const NEW_RANK = 999;

export function createSegment(flagID: number, input: SegmentInput): Edit<Segment> {
  const {
    description = '',
    rolloutPercent = fail('rolloutPercent', 'a whole percent from 0 to 100', undefined),
  } = input;
  return editFlag(flagID, (flag, ids) => {
    const id = ids.next('segment');
    const segment = { id, description, rank: NEW_RANK, rolloutPercent, constraints: [], distributions: [] };
    return {
      flag: withSegment(flag, segment),
      type: 'SEGMENT_UPDATED',
      segmentID: id,
      answer: (now) => partOf(now.segments, id, 'Segment'),
    };
  });
}

/** Changes one segment; the flag's event names it. */
function editSegment<T>(
  flagID: number,
  segmentID: number,
  edit: (segment: Segment) => Segment,
  answer: (now: Segment) => T,
): Edit<T> {
  return editFlag(flagID, (flag) => ({
    flag: withSegment(flag, edit(partOf(flag.segments, segmentID, 'Segment'))),
    type: 'SEGMENT_UPDATED',
    segmentID,
    answer: (now) => answer(partOf(now.segments, segmentID, 'Segment')),
  }));
}

export function updateSegment(flagID: number, segmentID: number, input: SegmentInput): Edit<Segment> {
  return editSegment(
    flagID,
    segmentID,
    (segment) => ({ ...segment, ...input }),
    (now) => now,
  );
}

export function deleteSegment(flagID: number, segmentID: number): Edit<void> {
  return editFlag(flagID, (flag) => {
    partOf(flag.segments, segmentID, 'Segment');
    return {
      flag: { ...flag, segments: flag.segments.filter(({ id }) => id !== segmentID) },
      type: 'SEGMENT_UPDATED',
      segmentID,
      answer: () => undefined,
    };
  });
}

/** The event names the segment that is now first. */
export function reorderSegments(flagID: number, segmentIDs: readonly number[]): Edit<void> {
  return editFlag(flagID, (flag) => {
    const known = flag.segments.map(({ id }) => id);
    if (ascending(segmentIDs) !== ascending(known)) {
      fail('segmentIDs', `a list of all segments of the flag (${known.join(', ')}), each once`, segmentIDs);
    }
    const [first] = segmentIDs;
    return {
      flag: {
        ...flag,
        segments: flag.segments.map((segment) => ({ ...segment, rank: segmentIDs.indexOf(segment.id) })),
      },
      type: 'SEGMENT_UPDATED',
      ...(first !== undefined && { segmentID: first }),
      answer: () => undefined,
    };
  });
}

function ascending(ids: readonly number[]): string {
  return ids.toSorted((a, b) => a - b).join();
}

export function createConstraint(
  flagID: number,
  segmentID: number,
  input: Omit<Constraint, 'id'>,
): Edit<Constraint> {
  return editFlag(flagID, (flag, ids) => {
    const segment = partOf(flag.segments, segmentID, 'Segment');
    const constraint = { id: ids.next('constraint'), ...input };
    return {
      flag: withSegment(flag, { ...segment, constraints: [...segment.constraints, constraint] }),
      type: 'SEGMENT_UPDATED',
      segmentID,
      answer: () => constraint,
    };
  });
}

export function updateConstraint(
  flagID: number,
  segmentID: number,
  constraint: Constraint,
): Edit<Constraint> {
  return editSegment(
    flagID,
    segmentID,
    (segment) => {
      partOf(segment.constraints, constraint.id, 'Constraint');
      return { ...segment, constraints: withPart(segment.constraints, constraint) };
    },
    () => constraint,
  );
}

export function deleteConstraint(flagID: number, segmentID: number, constraintID: number): Edit<void> {
  return editSegment(
    flagID,
    segmentID,
    (segment) => {
      partOf(segment.constraints, constraintID, 'Constraint');
      return { ...segment, constraints: segment.constraints.filter(({ id }) => id !== constraintID) };
    },
    () => undefined,
  );
}

/** Replaces all; a variant that keeps a share keeps the id of its distribution. */
export function putDistributions(
  flagID: number,
  segmentID: number,
  shares: readonly Omit<Distribution, 'id'>[],
): Edit<readonly Distribution[]> {
  return editFlag(flagID, (flag, ids) => {
    const segment = partOf(flag.segments, segmentID, 'Segment');
    const distributions = shares.map(({ variantID, variantKey, percent }, index) => {
      const variant = flag.variants.find(({ id }) => id === variantID);
      const path = `distributions[${index}]`;
      if (variant === undefined) fail(`${path}.variantID`, 'the id of a variant of this flag', variantID);
      if (variantKey !== null && variantKey !== variant.key) {
        fail(
          `${path}.variantKey`,
          `"${variant.key}", the key of variant ${variantID}, or absent`,
          variantKey,
        );
      }
      const old = segment.distributions.find((distribution) => distribution.variantID === variantID);
      return { id: old?.id ?? ids.next('distribution'), variantID, variantKey: variant.key, percent };
    });
    return {
      flag: withSegment(flag, { ...segment, distributions }),
      type: 'DISTRIBUTION_UPDATED',
      segmentID,
      answer: (now) => partOf(now.segments, segmentID, 'Segment').distributions,
    };
  });
}
