/** What Flagent 0.1.7 decides, row by row. `test/vectors/README.md` says where the rows come from. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type EvaluationRequest, type EvaluationResult, evaluate } from '../../src/core/evaluate/evaluate.ts';
import { byPercent, chooseDistribution } from '../../src/core/evaluate/rollout.ts';
import { matchesFilter } from '../../src/core/model.ts';
import { readFlag, readFlags } from '../../src/core/protocol/decode-flag.ts';
import { lookup } from '../kit/flag-lookup.ts';

type Context = Pick<EvaluationRequest, 'entityID' | 'entityType'> & {
  readonly entityContext?: Readonly<Record<string, unknown>> | null;
};

interface Literal {
  readonly id: string;
  readonly kind: string;
  readonly input: {
    readonly flags?: readonly unknown[];
    readonly flag?: { readonly key: string };
    readonly flagKey?: string;
    readonly context?: Context;
    readonly request?: EvaluationRequest;
    readonly enableDebug?: boolean;
    readonly constraints?: readonly object[];
    readonly entityContext?: Record<string, unknown>;
    readonly tags?: readonly string[];
    readonly operator?: string | null;
    readonly entityID?: string;
    readonly entityIds?: string;
    readonly salt?: string;
    readonly rolloutPercent?: number;
    readonly variantIDs?: readonly number[];
    readonly percentsAccumulated?: readonly number[];
  };
  readonly expect: Readonly<Record<string, unknown>>;
}

interface Vectors {
  readonly literal: readonly Literal[];
  readonly constraintMatrix: readonly {
    readonly operator: string;
    readonly contextValue?: unknown;
    readonly value: string;
    readonly match: boolean;
  }[];
  readonly generated: {
    readonly flags: readonly unknown[];
    readonly cases: readonly {
      readonly flag: number;
      readonly entityID: string;
      readonly entityContext: Record<string, string>;
      readonly expect: Pick<EvaluationResult, 'variantID' | 'segmentID' | 'reason'>;
    }[];
  };
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/evaluation.json', import.meta.url), 'utf8'),
) as Vectors;

/** Rows about what only a server does, each with the reason why there is nothing here to run. */
const NOT_OURS: Readonly<Record<string, string>> = {
  'flagr/tags-all': 'selecting by all of several tags is no part of the client; a filter means any of them',
  'flagr/tags-all-mixed': 'as above',
  'flagent/service-no-entity':
    'the server invents a random entity id; a pure function answers ENTITY_ID_MISSING',
};

/** One reader per field that a row may expect. */
const EXPECTATIONS: Readonly<Record<string, (result: EvaluationResult, wanted: never) => void>> = {
  variantID: (result, wanted) => expect(result.variantID).toBe(wanted),
  variantKey: (result, wanted) => expect(result.variantKey).toBe(wanted),
  segmentID: (result, wanted) => expect(result.segmentID).toBe(wanted),
  reason: (result, wanted) => expect(result.reason).toBe(wanted),
  flagID: (result, wanted) => expect(result.flagID).toBe(wanted),
  flagKey: (result, wanted) => expect(result.flagKey).toBe(wanted),
  'evalContext.entityType': (result, wanted) => expect(result.entityType).toBe(wanted),
  'evalDebugLog.msg': (result, wanted) => expect(result.steps?.[0]?.message).toBe(wanted),
  debugLogCount: (result, wanted) => expect(result.steps ?? []).toHaveLength(wanted),
  debugLogContains: (result, wanted: readonly [number, string][]) => {
    for (const [segmentID, text] of wanted) {
      const messages = result.steps
        ?.filter((step) => step.segmentID === segmentID)
        .map((step) => step.message);
      expect(messages?.join('\n')).toContain(text);
    }
  },
};

function check(result: EvaluationResult, wanted: Literal['expect']): void {
  for (const [field, value] of Object.entries(wanted)) {
    const expectation = EXPECTATIONS[field];
    if (expectation === undefined) throw new Error(`The rows expect ${field}; add it to EXPECTATIONS.`);
    expectation(result, value as never);
  }
}

function evaluateRow(
  flags: readonly unknown[],
  request: Omit<EvaluationRequest, 'entityContext'> & Context,
): EvaluationResult {
  const { entityContext, ...rest } = request;
  return evaluate(lookup(readFlags(flags, 'flags')), { ...rest, entityContext: entityContext ?? {} });
}

/** A flag that everybody gets who satisfies the constraints. */
function flagWith(constraints: readonly object[]): unknown {
  return {
    id: 1,
    key: 'f',
    enabled: true,
    segments: [{ id: 1, rolloutPercent: 100, constraints, distributions: [{ variantID: 10, percent: 100 }] }],
    variants: [{ id: 10, key: 'on' }],
  };
}

function isMatch(constraints: readonly object[], entityContext: Record<string, unknown>): boolean {
  const request = { flagKey: 'f', entityID: 'user', entityContext };
  return evaluateRow([flagWith(constraints)], request).reason === 'MATCH';
}

function variantIDOf({ input }: Literal, entityID: string): number | undefined {
  const { salt, rolloutPercent = 0, variantIDs = [], percentsAccumulated = [] } = input;
  const distributions = variantIDs.map((variantID, index) => ({
    id: index,
    variantID,
    variantKey: null,
    percent: ((percentsAccumulated[index] ?? 0) - (percentsAccumulated[index - 1] ?? 0)) / 10,
  }));
  return chooseDistribution(Number(salt), entityID, rolloutPercent, byPercent(distributions))?.variantID;
}

/** `user0..user999` written out. */
function idsIn(range = ''): string[] {
  const [, name = '', last = ''] = /^(\D+)0\.\.\D+(\d+)$/.exec(range) ?? [];
  return Array.from({ length: Number(last) + 1 }, (_, index) => `${name}${index}`);
}

const RUNNERS: Readonly<Record<string, (row: Literal) => void>> = {
  evaluate: ({ input, expect: wanted }) => {
    const { flag, context, enableDebug = 'debugLogContains' in wanted } = input;
    check(evaluateRow([flag], { ...context, flagKey: flag?.key ?? '', enableDebug }), wanted);
  },
  evaluateWithDependencies: ({ input, expect: wanted }) => {
    const { flags = [], flagKey = '', context } = input;
    check(evaluateRow(flags, { ...context, flagKey, enableDebug: true }), wanted);
  },
  localEvaluate: ({ input, expect: wanted }) => {
    const { flags = [], flagKey = '', context } = input;
    check(evaluateRow(flags, { ...context, flagKey }), wanted);
  },
  apiEvaluate: ({ input, expect: wanted }) => {
    check(evaluateRow(input.flags ?? [], { ...input.request, enableDebug: true }), wanted);
  },
  constraints: ({ input, expect: wanted }) => {
    expect(isMatch(input.constraints ?? [], input.entityContext ?? {})).toBe(wanted.match);
  },
  rolloutEntity: (row) => {
    const { variantID, variantIn, variant } = row.expect;
    const chosen = variantIDOf(row, row.input.entityID ?? '');
    if (Array.isArray(variantIn)) expect(variantIn).toContain(chosen);
    else expect(chosen).toBe(variant === 'none' ? undefined : variantID);
  },
  statistics: (row) => {
    const [least = 0, most = 0] = row.expect.includedBetween as number[];
    const included = idsIn(row.input.entityIds).filter((id) => variantIDOf(row, id) !== undefined).length;
    expect(included).toBeGreaterThanOrEqual(least);
    expect(included).toBeLessThanOrEqual(most);
  },
  selectByTags: ({ input, expect: wanted }) => {
    const flags = (input.flags ?? []).map((flag) => ({ ...(flagWith([]) as object), ...(flag as object) }));
    const selected = readFlags(flags, 'flags').filter((flag) =>
      matchesFilter({ tags: input.tags ?? [] }, flag),
    );
    expect(selected).toHaveLength(Number(wanted.count));
  },
};

const ours = vectors.literal.filter(({ id }) => !(id in NOT_OURS));

test.each(ours)('decides as in $id', (row) => {
  const run = RUNNERS[row.kind];
  if (run === undefined) throw new Error(`There is no runner for the kind ${row.kind}.`);
  run(row);
});

test('all rows have been run', () => {
  expect(ours).toHaveLength(58 - Object.keys(NOT_OURS).length);
  expect(vectors.constraintMatrix).toHaveLength(197);
  expect(vectors.generated.cases).toHaveLength(600);
});

test('the server-only row without an entity id gets its own reason here', () => {
  const row = vectors.literal.find(({ id }) => id === 'flagent/service-no-entity');
  const result = evaluateRow(row?.input.flags ?? [], row?.input.request ?? {});
  expect(result).toMatchObject({ flagID: 1, variantID: null, reason: 'ENTITY_ID_MISSING' });
});

test('every operator answers as Flagent does for every pair of values', () => {
  const wrong = vectors.constraintMatrix.filter(({ operator, contextValue, value, match }) => {
    const context = contextValue === undefined ? {} : { p: contextValue };
    return isMatch([{ property: 'p', operator, value }], context) !== match;
  });
  expect(wrong).toEqual([]);
});

test('600 random evaluations come out as in Flagent', () => {
  const flags = vectors.generated.flags.map((flag, index) => readFlag(flag, `flags[${index}]`));
  const wrong = vectors.generated.cases.flatMap(({ flag: index, expect: wanted, ...request }) => {
    const flag = flags[index];
    const { variantID, segmentID, reason } = evaluate(
      { byKey: () => flag, byID: () => flag },
      { ...request, flagKey: flag?.key ?? '' },
    );
    const isSame =
      variantID === wanted.variantID && segmentID === wanted.segmentID && reason === wanted.reason;
    return isSame ? [] : [{ index, wanted, variantID, segmentID, reason }];
  });
  expect(wrong).toEqual([]);
});
