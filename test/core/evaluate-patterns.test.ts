/** Patterns answer as Java 17 does, or say that they cannot; and nothing that is written in one costs more than the bound. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileMatcher, MAX_PATTERN_LENGTH } from '../../src/core/evaluate/pattern/compile.ts';
import { MAX_STEPS } from '../../src/core/evaluate/pattern/match.ts';
import { MAX_DEPTH } from '../../src/core/evaluate/pattern/reader.ts';
import { compilePattern } from '../../src/core/evaluate/pattern.ts';

interface Row {
  readonly pattern: string;
  readonly text: string;
  readonly match: boolean | 'invalid';
}

const { rows } = JSON.parse(
  readFileSync(new URL('../vectors/java-patterns.json', import.meta.url), 'utf8'),
) as { readonly rows: readonly Row[] };

/** Patterns that Java decides and this engine does not, with the reason. */
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['\\X', 'needs the rules of grapheme clusters'],
  ['\\b{g}', 'needs the rules of grapheme clusters'],
  ['\\N{LATIN SMALL LETTER A}', 'needs the names of all characters'],
  ['\\N{FOO}', 'as above, to know that there is none'],
  ['\\p{InGreek}', 'needs the blocks of Unicode, which JavaScript does not have'],
  ['\\p{blk=Greek}', 'as above'],
  ['\\p{IsFoo}', 'could be a script that this JavaScript does not have'],
  ['\\p{IsSIGNWRITING}', 'the one script that JavaScript spells with a capital inside'],
  ['\\p{IsQaac}', 'an alias that JavaScript has and Java has not'],
  ['\\p{javaIdentifierIgnorable}', 'nobody asks for the parts of Java’s own names'],
  ['(?c)a', 'canonical equivalence'],
  ['a+(?<=a*)b', 'Java takes some lookbehinds without a greatest length and miscounts them'],
  ['.+(?<=xa+)b', 'as above'],
  ['.+(?<=x(a)*)b', 'as above; it refuses others'],
  ['.+(?<=xa{2,}?)b', 'as above'],
  ['(a*)+\\1', 'what a group holds after an empty repetition depends on how Java sees the group'],
  ['(?:(a)(b)){1,2}\\1', 'what a group in a repeated group holds after giving back does, too'],
  [
    '(?:b?|^c){2}',
    'Java leaves a loop after an empty repetition, even if it has not been through often enough',
  ],
]);

/** Texts for which Java’s answer hangs on how it has compiled the pattern. */
const UNDECIDED: readonly (readonly [pattern: string, text: string])[] = [
  ['(?iu)ß', 'ẞ'],
  ['(?i)(😀)\\1', '😀😀x'],
  ['(?i)(😀)\\1ab', '😀😀ab'],
  ['(?i)(😀)\\1😀', '😀😀😀'],
];

function isUndecided({ pattern, text }: Row): boolean {
  return UNDECIDED.some((row) => row[0] === pattern && row[1] === text);
}

function answerOf(pattern: string, text: string): boolean | string | undefined {
  const { problem, test: isMatch } = compilePattern(pattern);
  return problem ?? isMatch(text);
}

test('every row is answered as Java 17 answers it', () => {
  const wrong = rows
    .filter((row) => !UNSUPPORTED.has(row.pattern) && !isUndecided(row))
    .map((row) => ({ ...row, ours: answerOf(row.pattern, row.text) }))
    .filter(({ match, ours }) => ours !== match);
  expect(wrong).toEqual([]);
});

test.each([...UNSUPPORTED])('%j is unsupported: %s', (pattern) => {
  expect(rows.some((row) => row.pattern === pattern)).toBe(true);
  expect(compilePattern(pattern).problem).toBe('unsupported');
  expect(compilePattern(pattern).test('a')).toBeUndefined();
});

test.each(UNDECIDED)('%j does not decide on %j', (pattern, text) => {
  expect(rows.some((row) => row.pattern === pattern && row.text === text)).toBe(true);
  expect(compilePattern(pattern)).toMatchObject({ problem: undefined });
  expect(compilePattern(pattern).test(text)).toBeUndefined();
});

test('an invalid pattern says so and matches nothing', () => {
  for (const { pattern, text } of rows.filter(({ match }) => match === 'invalid')) {
    if (!UNSUPPORTED.has(pattern)) expect(compilePattern(pattern).test(text)).toBe(false);
  }
});

const A_10_000 = 'a'.repeat(10_000);

test.each<[pattern: string, text: string, answer: boolean | undefined]>([
  ['(a+)+$', `${A_10_000}!`, false],
  ['(a|a)*b', A_10_000, false],
  ['(a*)*b', A_10_000, false],
  ['(.*)*x{50}', A_10_000, false],
  ['(x+x+)+y', 'x'.repeat(10_000), false],
  ['(a?){30}a{30}', 'a'.repeat(29), false],
  ['(?=(?=(?=a*)*)*)*b', A_10_000, false],
  ['(?:(?=.*b).)*', A_10_000, false],
  ['(?>(?>a*)*)*b', A_10_000, false],
  ['(?:(?=(?:(?=a*)a)*)a)*c', 'a'.repeat(200), false],
  ['.*@example\\.com', 'a'.repeat(100_000), false],
  ['(a+)+', 'a'.repeat(100_000), true],
  ['(?:(?=.*b).)+', `${'a'.repeat(5_000)}b`, undefined],
  ['(?<=a{0,500})+b', A_10_000, undefined],
  ['(?:.\\B|.)+', `a${'\u0301'.repeat(10_000)}`, undefined],
  ['(a*)(a*)(a*)(a*)(a*)\\1\\2\\3b', 'a'.repeat(1_000), undefined],
  ['(a+)+\\1b', 'a'.repeat(300), undefined],
  ['(?:(a)|b|ab)*\\1c', 'ab'.repeat(3_000), undefined],
])('%j ends within the bound', (pattern, text, answer) => {
  const matcher = compileMatcher(pattern);
  expect(matcher.matches(text)).toBe(answer);
  expect(matcher.steps).toBeLessThan(MAX_STEPS + text.length);
});

test('without back references a text takes steps in proportion to its length', () => {
  for (const pattern of ['(a+)+$', '(a|a)*b', '(a*)*b', '(?:a|b|ab)*c', '(?>a|b)*+c', '(?=a).*?b']) {
    const matcher = compileMatcher(pattern);
    const stepsFor = (length: number): number => {
      matcher.matches('a'.repeat(length));
      return matcher.steps;
    };
    expect(stepsFor(2_000)).toBeLessThan(2.1 * stepsFor(1_000));
  }
});

test.each([
  ['deep groups', '('.repeat(MAX_DEPTH + 1) + ')'.repeat(MAX_DEPTH + 1)],
  ['groups that never close', '('.repeat(MAX_PATTERN_LENGTH)],
  ['deep classes', '['.repeat(MAX_PATTERN_LENGTH)],
  ['deep intersections', `[${'a&&'.repeat(400)}a]`],
  ['counts that multiply', '((a{99}){99}){99}'],
  ['counts of nothing', '((((){999}){999}){999}){999}'],
  ['a very large count', 'a{2147483647}'],
  ['a very long pattern', 'a'.repeat(MAX_PATTERN_LENGTH + 1)],
])('%s are unsupported', (_, pattern) => {
  expect(compilePattern(pattern)).toMatchObject({ problem: 'unsupported' });
});

test('a pattern answers the same whatever it was asked before', () => {
  const pattern = compilePattern('(?=(a|b)*c)(?:(a|ab)(c|bcd)(d*))+');
  const texts = ['abcd', 'x', 'abcd', '', 'acabcd', 'abcd', 'ab', 'ac'];
  const fresh = texts.map((text) => answerOf('(?=(a|b)*c)(?:(a|ab)(c|bcd)(d*))+', text));
  expect(texts.map((text) => pattern.test(text))).toEqual(fresh);
});

test('what could not be decided does not change later answers', () => {
  const { test: isMatch } = compilePattern('(a+)+\\1b');
  expect(isMatch('a'.repeat(300))).toBeUndefined();
  expect(isMatch('aab')).toBe(true);
  expect(isMatch('ab')).toBe(false);
});

test('a text always matches itself quoted, and only itself', () => {
  const arbText = fc.string({ unit: 'binary', maxLength: 10 }).filter((text) => !text.includes('\\E'));
  fc.assert(
    fc.property(arbText, arbText, (text, other) => {
      // A quote that ends in a backslash would take the one of \E.
      const isSame = compilePattern(`\\Q${text}`);
      expect(isSame.test(text)).toBe(true);
      expect(isSame.test(other)).toBe(other === text);
    }),
    { numRuns: 1_000 },
  );
});

test('no pattern throws, and no text costs more than the bound', () => {
  const arbSign = fc.constantFrom(
    ...'ab1.*+?^$()[]{}|\\-&,:<>=!#QEdpPkxu',
    '(?',
    '(?<n>',
    '(?<=',
    '(?x)',
    '\\1',
    '{2,}',
    '&&',
    '\\p{L}',
  );
  const arbSource = fc.oneof(fc.string({ unit: arbSign, maxLength: 20 }), fc.string({ unit: 'binary' }));
  const arbText = fc.oneof(fc.string({ unit: arbSign, maxLength: 60 }), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(arbSource, arbText, (source, text) => {
      const { problem, test: isMatch } = compilePattern(source);
      const answer = isMatch(text);
      expect(answer).toBe(problem === 'invalid' ? false : problem === 'unsupported' ? undefined : answer);
      if (problem !== undefined) return;
      const matcher = compileMatcher(source);
      expect(matcher.matches(text)).toBe(answer);
      expect(matcher.steps).toBeLessThan(MAX_STEPS + 100);
    }),
    { numRuns: 3_000 },
  );
});
