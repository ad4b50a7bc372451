/** A flag made ready for many evaluations: sorted once, constraints compiled once, per flag object. */
import type { Distribution, Flag } from '../model.ts';
import { compileOperator, type TextTest } from './operators.ts';
import { byPercent } from './rollout.ts';

export interface PreparedSegment {
  readonly id: number;
  readonly rolloutPercent: number;
  readonly constraints: readonly { readonly property: string; readonly test: TextTest }[];
  readonly distributions: readonly Distribution[];
}

/** Flags are never changed in place, so what is made of one holds as long as the flag itself and goes with it. */
const PREPARED = new WeakMap<Flag, readonly PreparedSegment[]>();

/** The segments in the order in which they are tried: by rank, equal ranks as listed. */
export function prepareSegments(flag: Flag): readonly PreparedSegment[] {
  const known = PREPARED.get(flag);
  if (known !== undefined) return known;
  const segments = flag.segments
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ id, rolloutPercent, constraints, distributions }) => ({
      id,
      rolloutPercent,
      constraints: constraints.map(({ property, operator, value }) => ({
        property,
        test: compileOperator(operator, value),
      })),
      distributions: byPercent(distributions),
    }));
  PREPARED.set(flag, segments);
  return segments;
}
