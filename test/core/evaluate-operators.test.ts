/** Numbers, lists and patterns as Java 17 takes them; every row was also run there. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileOperator } from '../../src/core/evaluate/operators.ts';
import { compilePattern, PATTERN_LIMITS } from '../../src/core/evaluate/pattern.ts';
import { parseDouble } from '../../src/core/evaluate/text.ts';

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
  expect(compileOperator('IN', value)(text)).toBe(isIn);
  expect(compileOperator('NOTIN', value)(text)).toBe(!isIn);
});

test.each(['', 'eq', 'LIKE', 'constructor', '__proto__', 'toString'])(
  'the operator %j never matches',
  (name) => {
    expect(compileOperator(name, 'x')('x')).toBe(false);
  },
);

test.each<[pattern: string, text: string, isMatch: boolean]>([
  ['a|ab', 'ab', true],
  ['^a$', 'a', true],
  ['\\Aa\\z', 'a', true],
  ['.', '\n', false],
  ['.', '😀', true],
  ['(?s).', '\n', true],
  ['(?i)ABC', 'abC', true],
  ['(?i)[^a]', 'A', false],
  ['(?is)a.B', 'A\nb', true],
  ['\\s', '\u00a0', false],
  ['\\S', '\u00a0', true],
  ['[\\s]', '\u00a0', false],
  ['\\h', '\u00a0', true],
  ['\\H', '\u00a0', false],
  ['\\v', '\u2028', true],
  ['\\d', '٣', false],
  ['a++b', 'aab', true],
  ['a++ab', 'aaab', false],
  ['(?:ab)*+', 'abab', true],
  ['[ab]?+a', 'a', false],
  ['a{1,2}+a', 'aaa', true],
  ['a{1,2}+a', 'aa', false],
  ['(?>a|ab)c', 'abc', false],
  ['(?>a|ab)c', 'ac', true],
  ['(?>a*+)b', 'aab', true],
  ['(a)(b)\\2\\1', 'abba', true],
  ['(?<n>a)\\k<n>', 'aa', true],
  ['(?<!a)b', 'b', true],
  ['a(?!b).', 'ac', true],
  ['\\Qa.b\\E.', 'a.bx', true],
  ['\\Qa.b\\E', 'axb', false],
  ['\\Q\\d', '\\d', true],
  ['\\\\Qa', '\\Qa', true],
  ['[\\Qa-c\\E]', '-', true],
  ['[\\Qa-c\\E]', 'b', false],
  ['\\x41\\u0042\\x{1F600}', 'AB😀', true],
  ['\\-\\_\\@\\"\\ \\/', '-_@" /', true],
  ['[\\w-\\.]+@([\\w-]+\\.)+[\\w-]{2,4}', 'a-b.c@d-e.com', true],
  ['[]a]+', ']a', true],
  ['[^]a]', 'b', true],
  ['a]b}', 'a]b}', true],
  ['\\p{Alpha}', 'é', false],
  ['\\P{Alpha}', 'é', true],
  ['[\\p{Alnum}_]+', 'aZ9_', true],
  ['\\p{Punct}+', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', true],
  ['\\p{L}+', 'éa', true],
  ['\\p{Lu}', 'é', false],
  ['[\\P{L}]', '1', true],
  ['[a&b]', '&', true],
  ['[(?:]', '(', true],
  ['[+*?]+', '+*?', true],
])('the pattern %j matches %j: %s', (pattern, text, isMatch) => {
  expect(compilePattern(pattern)?.(text)).toBe(isMatch);
});

test.each([
  '[',
  '(',
  ')',
  'a)',
  '*',
  '+a',
  'a**',
  '{',
  'a{,3}',
  'a{2,1}',
  '[z-a]',
  '\\y',
  '\\',
  '(?P<n>a)',
  '(?<n>a)(?<n>b)',
  '\\k<n>',
  '(?i)*',
  '(?q)a',
  '\\p{Nothing}',
])('the pattern %j is invalid, so it matches nothing and its negation everything', (pattern) => {
  expect(compilePattern(pattern)).toBeUndefined();
  expect(compileOperator('EREG', pattern)('a')).toBe(false);
  expect(compileOperator('NEREG', pattern)('a')).toBe(true);
});

test.each(['[a-z&&[^x]]', '[a[b]]', '(?x) a', 'a(?i)b', '[\\H]', '[\\P{Alpha}]', '(a++)\\1', '\\X'])(
  'the pattern %j is refused rather than misread',
  (pattern) => {
    expect(compilePattern(pattern)).toBeUndefined();
  },
);

test('a pattern over its limit is invalid and a text over its limit does not match', () => {
  const { patternLength, textLength } = PATTERN_LIMITS;
  expect(compilePattern('a'.repeat(patternLength))).toBeDefined();
  expect(compilePattern('a'.repeat(patternLength + 1))).toBeUndefined();
  expect(compilePattern('a*')?.('a'.repeat(textLength))).toBe(true);
  expect(compilePattern('a*')?.('a'.repeat(textLength + 1))).toBe(false);
});

test('a text always matches itself quoted, and only itself', () => {
  const arbLine = fc.string({ unit: 'binary', maxLength: 10 }).filter((text) => !text.includes('\\E'));
  fc.assert(
    fc.property(arbLine, arbLine, (text, other) => {
      const isSame = compilePattern(`\\Q${text}\\E`);
      expect(isSame?.(text)).toBe(true);
      expect(isSame?.(other)).toBe(other === text);
    }),
    { numRuns: 1_000 },
  );
});

test('no pattern makes the compiler throw, and no text a compiled one', () => {
  const arbSign = fc.constantFrom(...'ab1.*+?^$()[]{}|\\-&,:<>=!#QEdpPkxu');
  const arbSource = fc.oneof(fc.string({ unit: arbSign, maxLength: 12 }), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(arbSource, fc.string({ unit: arbSign, maxLength: 8 }), (source, text) => {
      expect(typeof (compilePattern(source)?.(text) ?? false)).toBe('boolean');
    }),
    { numRuns: 3_000 },
  );
});
