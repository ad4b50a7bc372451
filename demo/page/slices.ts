/** Who of the 1000 buckets gets which variant in a segment. The client decides; this only draws what it decides by. */
import type { Segment } from 'flagent-offline';

export const BUCKETS = 1000;

/** Buckets from `from` up to `to`, which is not part of it. */
export interface Slice {
  readonly variantID: number;
  readonly variantKey: string;
  readonly from: number;
  readonly to: number;
}

/** As Flagent lays them out: from the smallest share to the largest, and whatever lies behind the rollout is cut off. */
export function slicesOf({ rolloutPercent, distributions }: Segment): readonly Slice[] {
  const end = thresholdOf(rolloutPercent);
  let next = 0;
  const slices = distributions
    .toSorted((a, b) => a.percent - b.percent)
    .map(({ percent, variantID, variantKey }) => {
      const from = next;
      next += (percent * BUCKETS) / 100;
      return {
        variantID,
        variantKey: variantKey ?? String(variantID),
        from: Math.min(from, end),
        to: Math.min(next, end),
      };
    });
  return slices.filter(({ from, to }) => from < to);
}

/** The first bucket that is left out. */
export function thresholdOf(rolloutPercent: number): number {
  return (rolloutPercent * BUCKETS) / 100;
}
