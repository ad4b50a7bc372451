/** How each kind of literal row is put to whoever decides, and what it then expects. */
import { expect } from 'vitest';
import type { EvaluationRequest } from '../../src/core/evaluate/evaluation.ts';
import type { Flag } from '../../src/core/model.ts';
import type { Answer, Decider } from './evaluation-decider.ts';
import {
  flagsOf,
  flagWith,
  idsIn,
  type LiteralRow,
  type RowContext,
  rolloutFlagOf,
} from './evaluation-vectors.ts';

export async function playRow(row: LiteralRow, decider: Decider): Promise<void> {
  const play = KINDS[row.kind];
  if (play === undefined) throw new Error(`There is no way to play the kind ${row.kind}.`);
  await play(row, decider);
}

const KINDS: Readonly<Record<string, (row: LiteralRow, decider: Decider) => Promise<void>>> = {
  evaluate: async (row, decider) => {
    const { flag, context, enableDebug = 'debugLogContains' in row.expect } = row.input;
    check(await ask(decider, flagsOf(row), { ...context, flagKey: flag?.key ?? '', enableDebug }), row);
  },
  evaluateWithDependencies: async (row, decider) => {
    const { flagKey = '', context } = row.input;
    check(await ask(decider, flagsOf(row), { ...context, flagKey, enableDebug: true }), row);
  },
  localEvaluate: async (row, decider) => {
    const { flagKey = '', context } = row.input;
    check(await ask(decider, flagsOf(row), { ...context, flagKey }), row);
  },
  apiEvaluate: async (row, decider) => {
    check(await ask(decider, flagsOf(row), { ...row.input.request, enableDebug: true }), row);
  },
  constraints: async ({ input, expect: wanted }, decider) => {
    const { constraints = [], entityContext = {} } = input;
    const request = { flagKey: 'f', entityID: 'user', entityContext };
    const { reason } = await ask(decider, [flagWith(constraints)], request);
    expect(reason === 'MATCH').toBe(wanted.match);
  },
  rolloutEntity: async (row, decider) => {
    const { variantID, variantIn, variant } = row.expect;
    const request = { flagKey: 'f', entityID: row.input.entityID ?? '' };
    const { variantID: chosen } = await ask(decider, [rolloutFlagOf(row)], request);
    if (Array.isArray(variantIn)) expect(variantIn).toContain(chosen);
    else expect(chosen).toBe(variant === 'none' ? null : variantID);
  },
  statistics: async (row, decider) => {
    const [least = 0, most = 0] = row.expect.includedBetween as number[];
    const requests = idsIn(row.input.entityIds).map((entityID) => ({ flagKey: 'f', entityID }));
    const answers = await decider.decide([rolloutFlagOf(row)], requests);
    const included = answers.filter(({ variantID }) => variantID !== null).length;
    expect(included).toBeGreaterThanOrEqual(least);
    expect(included).toBeLessThanOrEqual(most);
  },
  selectByTags: async ({ input, expect: wanted }, decider) => {
    const flags = (input.flags ?? []).map((flag) => flagWith([], flag as object));
    const count = await decider.countTagged(flags, input.tags ?? [], input.operator ?? 'ANY');
    expect(count).toBe(wanted.count);
  },
};

async function ask(
  decider: Decider,
  flags: readonly Flag[],
  { entityContext, ...request }: Omit<EvaluationRequest, 'entityContext'> & RowContext,
): Promise<Answer> {
  const [answer] = await decider.decide(flags, [
    { ...request, ...(entityContext != null && { entityContext }) },
  ]);
  if (answer === undefined) throw new Error('There is no answer.');
  return answer;
}

function check(answer: Answer, { expect: wanted }: LiteralRow): void {
  for (const [field, value] of Object.entries(wanted)) {
    const compare = FIELDS[field];
    if (compare === undefined) throw new Error(`The rows expect ${field}; add it to FIELDS.`);
    compare(answer, value as never);
  }
}

/** One comparison per field that a row may expect. */
const FIELDS: Readonly<Record<string, (answer: Answer, wanted: never) => void>> = {
  variantID: (answer, wanted) => expect(answer.variantID).toBe(wanted),
  variantKey: (answer, wanted) => expect(answer.variantKey).toBe(wanted),
  segmentID: (answer, wanted) => expect(answer.segmentID).toBe(wanted),
  reason: (answer, wanted) => expect(answer.reason).toBe(wanted),
  flagID: (answer, wanted) => expect(answer.flagID).toBe(wanted),
  flagKey: (answer, wanted) => expect(answer.flagKey).toBe(wanted),
  'evalContext.entityID': (answer, { matches }: { readonly matches: string }) =>
    expect(answer.entityID).toMatch(new RegExp(matches)),
  'evalContext.entityType': (answer, wanted) => expect(answer.entityType).toBe(wanted),
  'evalDebugLog.msg': (answer, wanted) => expect(answer.message).toBe(wanted),
  debugLogCount: (answer, wanted) => expect(answer.log).toHaveLength(wanted),
  debugLogContains: (answer, wanted: readonly [number, string][]) => {
    for (const [segmentID, text] of wanted) {
      const messages = answer.log.filter((entry) => entry.segmentID === segmentID);
      expect(messages.map(({ msg }) => msg).join('\n')).toContain(text);
    }
  },
};
