/** The rules around the rows of Flagent: lookup, dependencies, order, text forms, steps; and that no input throws. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluate, isEnabledResult } from '../../src/core/evaluate/evaluate.ts';
import type { EvaluationRequest, EvaluationResult } from '../../src/core/evaluate/evaluation.ts';
import { bucketOf, saltOf } from '../../src/core/evaluate/rollout.ts';
import type { Flag, Segment } from '../../src/core/model.ts';
import { arbFlag } from '../kit/arbitraries.ts';
import { lookup } from '../kit/flag-lookup.ts';
import { buildFlag } from '../kit/flags.ts';

function ask(flags: readonly Flag[], request: EvaluationRequest = {}): EvaluationResult {
  return evaluate(lookup(flags), { flagKey: 'f', entityID: 'user', ...request });
}

function segment(id: number, facts: Partial<Segment> = {}): Segment {
  const distributions = [{ id, variantID: 10, variantKey: null, percent: 100 }];
  return { id, description: '', rank: 1, rolloutPercent: 100, constraints: [], distributions, ...facts };
}

/** Only for who has the property `p` with this text. */
function when(value: string, operator = 'EQ'): Pick<Segment, 'constraints'> {
  return { constraints: [{ id: 1, property: 'p', operator, value }] };
}

test('a match tells everything about the flag and its variant', () => {
  const attachment = { colour: 'red' };
  const flag = buildFlag('f', { snapshotID: 8, variants: [{ id: 10, key: 'on', attachment }] });
  expect(ask([flag])).toEqual({
    flagID: 1,
    flagKey: 'f',
    flagSnapshotID: 8,
    segmentID: 10,
    variantID: 10,
    variantKey: 'on',
    variantAttachment: attachment,
    reason: 'MATCH',
    entityID: 'user',
    entityType: '',
  });
});

test('the id wins over the key, also when no flag has that id', () => {
  const flags = [buildFlag('f'), buildFlag('g', { id: 2 })];
  expect(ask(flags, { flagID: 2 }).flagKey).toBe('g');
  expect(ask(flags, { flagID: 3 })).toMatchObject({ reason: 'FLAG_NOT_FOUND', flagID: 3, flagKey: 'f' });
});

test('a request that names no flag finds none', () => {
  expect(evaluate(lookup([]), {})).toMatchObject({ reason: 'FLAG_NOT_FOUND', flagID: 0, flagKey: '' });
});

test('a variant that the flag lacks is named by its distribution', () => {
  const distributions = [{ id: 1, variantID: 99, variantKey: 'gone', percent: 100 }];
  const flag = buildFlag('f', { variants: [], segments: [segment(1, { distributions })] });
  expect(ask([flag])).toMatchObject({ variantID: 99, variantKey: 'gone', variantAttachment: null });
});

test.each([
  ['on', true],
  ['control', false],
  ['', true],
  [null, false],
])('the variant %j means enabled: %s', (variantKey, isEnabled) => {
  expect(isEnabledResult({ ...ask([buildFlag('f')]), variantKey })).toBe(isEnabled);
});

test('segments are tried by rank, equal ranks as listed, and a rollout that says no goes on to the next', () => {
  const segments = [
    segment(1, { rank: 2 }),
    segment(2, { rank: 0, ...when('x') }),
    segment(3, { rank: 1, rolloutPercent: 0 }),
    segment(4, { rank: 1, distributions: [] }),
  ];
  const result = ask([buildFlag('f', { segments })], { enableDebug: true, entityContext: { p: 'y' } });
  const [constraint] = when('x').constraints;
  const bucket = bucketOf(saltOf(1), 'user');
  expect(result.steps).toEqual([
    { is: 'constraint_failed', segmentID: 2, constraint, text: 'y', problem: null },
    { is: 'left_out', segmentID: 3, why: 'rollout', rolloutPercent: 0, bucket },
    { is: 'left_out', segmentID: 4, why: 'no_distributions', rolloutPercent: 100, bucket },
    { is: 'let_in', segmentID: 1, variantID: 10, rolloutPercent: 100, bucket },
  ]);
});

test('the first constraint that fails is named, with what was found', () => {
  const [first, second] = [
    { id: 1, property: 'p', operator: 'EQ', value: 'x' },
    { id: 2, property: 'q', operator: 'EREG', value: '(' },
  ];
  const flag = buildFlag('f', { segments: [segment(1, { constraints: [first, second] })] });
  const stepsFor = (entityContext: Record<string, unknown>) =>
    ask([flag], { entityContext, enableDebug: true }).steps;
  const failed = { is: 'constraint_failed', segmentID: 1 };
  expect(stepsFor({ q: 'y' })).toEqual([{ ...failed, constraint: first, text: null, problem: null }]);
  expect(stepsFor({ p: 1 })).toEqual([{ ...failed, constraint: first, text: '1', problem: null }]);
  expect(stepsFor({ p: 'x', q: 'y' })).toEqual([
    { ...failed, constraint: second, text: 'y', problem: 'invalid' },
  ]);
});

test('without an entity id the steps say so', () => {
  const { steps } = ask([buildFlag('f')], { entityID: ' ', enableDebug: true });
  expect(steps).toMatchObject([{ is: 'left_out', why: 'no_entity', bucket: -1 }]);
});

test('without debugging there are no steps', () => {
  expect(ask([buildFlag('f')])).not.toHaveProperty('steps');
});

test.each(['', ' ', '\u00a0\u001c\u3000', undefined])(
  'the entity id %j is blank and gets no variant',
  (entityID) => {
    const request = { flagKey: 'f', ...(entityID !== undefined && { entityID }) };
    const result = evaluate(lookup([buildFlag('f')]), request);
    expect(result).toMatchObject({ reason: 'ENTITY_ID_MISSING', variantID: null, segmentID: 10 });
  },
);

test('a byte order mark is an entity id like any other', () => {
  expect(ask([buildFlag('f')], { entityID: '\ufeff' }).reason).toBe('MATCH');
});

test.each([
  [{ entityType: 'device' }, 'user', 'device'],
  [{ entityType: '' }, 'user', ''],
  [{}, 'user', 'user'],
  [{}, null, ''],
])('with the request %j and the flag type %j the entity type is %j', (request, entityType, expected) => {
  expect(ask([buildFlag('f', { entityType })], request).entityType).toBe(expected);
});

test.each([
  ['5', 5, true],
  ['1e+21', 1e21, true],
  ['0', -0, true],
  ['true', true, true],
  ['NaN', Number.NaN, true],
  ['null', null, false],
  ['undefined', undefined, false],
  ['a', ['a'], false],
  ['[object Object]', {}, false],
])('the value %j stands for the context value %o: %s', (value, p, isMatch) => {
  const flag = buildFlag('f', { segments: [segment(1, when(value))] });
  expect(ask([flag], { entityContext: { p } }).variantID !== null).toBe(isMatch);
  const negated = buildFlag('f', { segments: [segment(1, when('other', 'NEQ'))] });
  expect(ask([negated], { entityContext: { p } }).variantID !== null).toBe(isMatch);
});

test('what a context inherits is no property of an entity', () => {
  const flag = buildFlag('f', { segments: [segment(1, when('x'))] });
  expect(ask([flag], { entityContext: Object.create({ p: 'x' }) }).reason).toBe('NO_MATCH');
  expect(ask([flag], { entityContext: { p: 'x' } }).reason).toBe('MATCH');
});

test('a flag needs a variant of every flag it depends on, and of theirs', () => {
  const [f, g, h] = [
    buildFlag('f', { dependsOn: ['g'] }),
    buildFlag('g', { id: 2, dependsOn: ['h'] }),
    buildFlag('h', { id: 3 }),
  ];
  const off = { ...h, enabled: false };
  expect(ask([f, g, h]).reason).toBe('MATCH');
  expect(ask([f, g, off], { enableDebug: true })).toMatchObject({
    reason: 'DEPENDENCY_NOT_MET',
    segmentID: null,
    steps: [{ is: 'dependency_unmet', flagKey: 'g' }],
  });
  expect(ask([f, h], { enableDebug: true }).steps).toEqual([{ is: 'dependency_missing', flagKey: 'g' }]);
});

test('flags that depend on each other have no variant', () => {
  const ring = [buildFlag('f', { dependsOn: ['g'] }), buildFlag('g', { id: 2, dependsOn: ['f'] })];
  expect(ask(ring).reason).toBe('DEPENDENCY_NOT_MET');
  expect(ask([buildFlag('f', { dependsOn: ['f'] })]).reason).toBe('DEPENDENCY_NOT_MET');
});

test('a flag is decided once however many ways lead to it', () => {
  const keys = Array.from({ length: 40 }, (_, index) => (index === 0 ? 'f' : `f${index}`));
  const flags = keys.map((key, index) => {
    const next = keys[index + 1];
    return buildFlag(key, { id: index + 1, dependsOn: next === undefined ? [] : [next, next] });
  });
  const asked: string[] = [];
  const { byKey, ...rest } = lookup(flags);
  const counting = {
    ...rest,
    byKey: (key: string) => {
      asked.push(key);
      return byKey(key);
    },
  };
  expect(evaluate(counting, { flagKey: 'f', entityID: 'user' }).reason).toBe('MATCH');
  expect(asked).toEqual(keys);
});

test('a chain of 100 000 dependencies ends without a variant instead of a full stack', () => {
  const flags = Array.from({ length: 100_000 }, (_, index) =>
    buildFlag(index === 0 ? 'f' : `f${index}`, { id: index + 1, dependsOn: [`f${index + 1}`] }),
  );
  expect(ask(flags).reason).toBe('DEPENDENCY_NOT_MET');
});

test('flags stay as they are', () => {
  const distributions = [
    { id: 1, variantID: 10, variantKey: null, percent: 90 },
    { id: 2, variantID: 11, variantKey: null, percent: 10 },
  ];
  const flag = buildFlag('f', { segments: [segment(2, { rank: 2 }), segment(1, { distributions })] });
  const before = structuredClone(flag);
  ask([flag]);
  expect(flag).toEqual(before);
});

test('any flag with any request gives the same answer twice, also to a copy, and never throws', () => {
  const arbRequest = fc.record({
    entityID: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
    entityType: fc.anything(),
    entityContext: fc.oneof(
      fc.dictionary(fc.constantFrom('tier', 'age', '__proto__'), fc.jsonValue()),
      fc.jsonValue(),
    ),
    enableDebug: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(arbFlag, { minLength: 1, maxLength: 3 }), arbRequest, (flags, request) => {
      const asked = { flagKey: flags[0]?.key ?? '', ...request } as EvaluationRequest;
      const result = evaluate(lookup(flags), asked);
      expect(evaluate(lookup(flags), asked)).toEqual(result);
      expect(evaluate(lookup(structuredClone(flags)), asked)).toEqual(result);
    }),
    { numRuns: 1_000 },
  );
});
