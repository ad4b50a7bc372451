/** The rows of `evaluation.json`: what Flagent 0.1.7 decides. `test/vectors/README.md` says where they come from. */
import { readFileSync } from 'node:fs';
import type { EvaluationRequest, EvaluationResult } from '../../src/core/evaluate/evaluation.ts';
import type { Flag } from '../../src/core/model.ts';
import { readFlag, readFlags } from '../../src/core/protocol/decode-flag.ts';

/** As the source tests spell it: null for no context. */
export type RowContext = Pick<EvaluationRequest, 'entityID' | 'entityType'> & {
  readonly entityContext?: Readonly<Record<string, unknown>> | null;
};

export interface LiteralRow {
  readonly id: string;
  readonly kind: string;
  readonly input: {
    readonly flags?: readonly unknown[];
    readonly flag?: { readonly key: string };
    readonly flagKey?: string;
    readonly context?: RowContext;
    readonly request?: EvaluationRequest;
    readonly enableDebug?: boolean;
    readonly constraints?: readonly object[];
    readonly entityContext?: Record<string, unknown>;
    readonly tags?: readonly string[];
    readonly operator?: 'ANY' | 'ALL' | null;
    readonly entityID?: string;
    readonly entityIds?: string;
    readonly salt?: string;
    readonly rolloutPercent?: number;
    readonly variantIDs?: readonly number[];
    readonly percentsAccumulated?: readonly number[];
  };
  readonly expect: Readonly<Record<string, unknown>>;
}

export interface MatrixRow {
  readonly operator: string;
  readonly contextValue?: unknown;
  readonly value: string;
  readonly match: boolean;
}

interface GeneratedRow {
  readonly flag: number;
  readonly entityID: string;
  readonly entityContext: Readonly<Record<string, string>>;
  readonly expect: Pick<EvaluationResult, 'variantID' | 'segmentID' | 'reason'>;
}

interface EvaluationVectors {
  readonly literal: readonly LiteralRow[];
  readonly constraintMatrix: readonly MatrixRow[];
  readonly generated: { readonly flags: readonly unknown[]; readonly cases: readonly GeneratedRow[] };
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/evaluation.json', import.meta.url), 'utf8'),
) as EvaluationVectors;

export const literalRows = vectors.literal;
export const matrixRows = vectors.constraintMatrix;

/** Flags that can be held together, since each id stands once, with the random requests about them. */
export interface GeneratedSet {
  readonly flags: readonly Flag[];
  readonly cases: readonly { readonly request: EvaluationRequest; readonly expect: GeneratedRow['expect'] }[];
}

/** A few of the random flags have the id of another one, so there is more than one set. */
export function generatedSets(): readonly GeneratedSet[] {
  const sets: Map<number, number>[] = [];
  const flags = vectors.generated.flags.map((flag, index) => readFlag(flag, `flags[${index}]`));
  for (const [index, { id }] of flags.entries()) {
    const free = sets.find((set) => !set.has(id));
    if (free === undefined) sets.push(new Map([[id, index]]));
    else free.set(id, index);
  }
  return sets.map((set) => ({
    flags: [...set.values()].flatMap((index) => flags[index] ?? []),
    cases: vectors.generated.cases.flatMap(({ flag: index, expect, ...entity }) => {
      const { id, key } = flags[index] as Flag;
      return set.get(id) === index ? [{ request: { ...entity, flagKey: key }, expect }] : [];
    }),
  }));
}

/** A flag that everybody gets who satisfies the constraints. */
export function flagWith(constraints: readonly object[], about: object = {}): Flag {
  const flag = {
    id: 1,
    key: 'f',
    enabled: true,
    segments: [{ id: 1, rolloutPercent: 100, constraints, distributions: [{ variantID: 10, percent: 100 }] }],
    variants: [{ id: 10, key: 'on' }],
  };
  return readFlag({ ...flag, ...about }, 'flag');
}

/** The flag of a row that names only the parts of its rollout. */
export function rolloutFlagOf({ input }: LiteralRow): Flag {
  const { salt, rolloutPercent = 0, variantIDs = [], percentsAccumulated = [] } = input;
  const distributions = variantIDs.map((variantID, index) => ({
    variantID,
    percent: ((percentsAccumulated[index] ?? 0) - (percentsAccumulated[index - 1] ?? 0)) / 10,
  }));
  return flagWith([], { id: Number(salt), segments: [{ id: 1, rolloutPercent, distributions }] });
}

export function flagsOf({ input: { flag, flags = flag === undefined ? [] : [flag] } }: LiteralRow): Flag[] {
  return readFlags(flags, 'flags');
}

/** `user0..user999` written out. */
export function idsIn(range = ''): string[] {
  const [, name = '', last = ''] = /^(\D+)0\.\.\D+(\d+)$/.exec(range) ?? [];
  return Array.from({ length: Number(last) + 1 }, (_, index) => `${name}${index}`);
}
