/** Numbers and lists as Java 17 takes them; every row was also run there. What patterns match is in `evaluate-patterns.test.ts`. */
import { expect, test } from 'vitest';
import { compileOperator, type TextTest } from '../../src/core/evaluate/operators.ts';
import { compilePattern } from '../../src/core/evaluate/pattern.ts';
import { parseDouble } from '../../src/core/evaluate/text.ts';

function operator(name: string, value: string): TextTest {
  return compileOperator(name, value, compilePattern);
}

test.each([
  ['1', 1],
  [' \t1\n', 1],
  ['\u00001\u001f', 1],
  ['.5', 0.5],
  ['5.', 5],
  ['+5', 5],
  ['-5.25e-1', -0.525],
  ['1d', 1],
  ['1F', 1],
  ['1e2D', 100],
  ['1e400', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['0x1p4', 16],
  ['-0X.8P1', -1],
  ['0xA.p0f', 10],
])('%j is the number %d', (text, number) => {
  expect(parseDouble(text)).toBe(number);
});

test.each([
  '',
  ' ',
  '.',
  'd',
  '1dd',
  'e5',
  '1e',
  '0x10',
  '0xp1',
  '0x.p1',
  '1_000',
  '1,000',
  '0b1',
  '0o7',
  '１２',
  '\u00a07',
  '\ufeff7',
  'infinity',
  'inf',
  'Infinityd',
  'NaNf',
  '--1',
  '1 2',
])('%j is no number', (text) => {
  expect(parseDouble(text)).toBeNaN();
});

test.each([
  [' \u00a0\u001cUS\u3000,CA', 'US', true],
  ['\ufeffUS', 'US', false],
  ['US', ' US', false],
  ['', '', true],
  ['a,', '', true],
  ['a', '', false],
])('in the list %j the text %j stands: %s', (value, text, isIn) => {
  expect(operator('IN', value)(text)).toBe(isIn);
  expect(operator('NOTIN', value)(text)).toBe(!isIn);
});

test.each(['', 'eq', 'LIKE', 'constructor', '__proto__', 'toString'])(
  'the operator %j never matches',
  (name) => {
    expect(operator(name, 'x')('x')).toBe(false);
  },
);

test('EREG and NEREG hold where the whole text matches and where it does not', () => {
  expect(operator('EREG', 'a+')('aa')).toBe(true);
  expect(operator('EREG', 'a+')('aab')).toBe(false);
  expect(operator('NEREG', 'a+')('aa')).toBe(false);
  expect(operator('NEREG', 'a+')('aab')).toBe(true);
});

test('an invalid pattern matches nothing, and its negation everything', () => {
  expect(operator('EREG', '[')('[')).toBe(false);
  expect(operator('NEREG', '[')('[')).toBe(true);
});

test.each([
  ['\\X', 'a'],
  ['(a|b|ab)*\\1c', 'ab'.repeat(10_000)],
])('where %j cannot be decided, neither EREG nor NEREG holds', (pattern, text) => {
  expect(operator('EREG', pattern)(text)).toBe(false);
  expect(operator('NEREG', pattern)(text)).toBe(false);
});
