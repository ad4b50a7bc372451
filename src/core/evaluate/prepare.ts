/** A flag made ready for many evaluations: sorted once, constraints compiled once, per flag object. */
import type { Constraint, Flag, Segment, Variant } from '../model.ts';
import { compileOperator, type TextTest } from './operators.ts';
import type { CompilePattern } from './pattern-contract.ts';
import { type Salt, saltOf } from './rollout.ts';

export interface PreparedFlag {
  readonly salt: Salt;
  /** In the order in which they are tried: by rank, equal ranks as listed. */
  readonly segments: readonly PreparedSegment[];
}

export interface PreparedSegment {
  readonly id: number;
  readonly rolloutPercent: number;
  readonly constraints: readonly PreparedConstraint[];
  readonly shares: readonly Share[];
}

export interface PreparedConstraint {
  readonly constraint: Constraint;
  readonly property: string;
  readonly test: TextTest;
}

/** A distribution with its variant, and where its slice of the 1000 buckets ends. */
export interface Share {
  readonly end: number;
  readonly variantID: number;
  readonly variantKey: string | null;
  readonly attachment: Readonly<Record<string, string>> | null;
}

/** Flags are never changed in place, so what is made of one holds as long as the flag itself and goes with it. */
const PREPARED = new WeakMap<Flag, PreparedFlag>();

export function prepare(flag: Flag, compilePattern: CompilePattern): PreparedFlag {
  let prepared = PREPARED.get(flag);
  if (prepared === undefined) {
    const segments = flag.segments.toSorted((a, b) => a.rank - b.rank);
    prepared = {
      salt: saltOf(flag.id),
      segments: segments.map((segment) => prepareSegment(segment, flag.variants, compilePattern)),
    };
    PREPARED.set(flag, prepared);
  }
  return prepared;
}

function prepareSegment(
  { id, rolloutPercent, constraints, distributions }: Segment,
  variants: readonly Variant[],
  compilePattern: CompilePattern,
): PreparedSegment {
  return {
    id,
    rolloutPercent,
    constraints: constraints.map((constraint) => ({
      constraint,
      property: constraint.property,
      test: compileOperator(constraint.operator, constraint.value, compilePattern),
    })),
    shares: layOut(distributions, variants),
  };
}

/** Slices lie from the smallest share to the largest; equal shares keep the server's order. */
export function layOut(
  distributions: Segment['distributions'],
  variants: readonly Variant[],
): readonly Share[] {
  let end = 0;
  return distributions
    .toSorted((a, b) => a.percent - b.percent)
    .map(({ percent, variantID, variantKey }) => {
      end += percent * 10;
      const variant = variants.find(({ id }) => id === variantID);
      return {
        end,
        variantID,
        variantKey: variant?.key ?? variantKey,
        attachment: variant?.attachment ?? null,
      };
    });
}
