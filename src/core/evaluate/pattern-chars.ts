/** Sets of characters in Java's syntax: `\d`, `\p{Alpha}`, and what stands in a class like `[a-z&&[^x]]`. */
import type { CharTest } from './pattern-nodes.ts';

/** Java's shorthand classes are ASCII, and some JavaScript lacks. As the inside of a JavaScript class. */
const SHORTHAND: Readonly<Record<string, string>> = {
  d: '0-9',
  w: '\\w',
  s: ' \\t-\\r',
  h: ' \\t\\xA0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000',
  v: '\\n-\\r\\x85\\u2028\\u2029',
  Lower: 'a-z',
  Upper: 'A-Z',
  ASCII: '\\0-\\x7f',
  Alpha: 'a-zA-Z',
  Digit: '0-9',
  Alnum: 'a-zA-Z0-9',
  Punct: '!-\\/:-@\\[-`\\{-~',
  Graph: '!-~',
  Print: ' -~',
  Blank: ' \\t',
  Cntrl: '\\0-\\x1f\\x7f',
  XDigit: '0-9a-fA-F',
  Space: ' \\t-\\r',
};

/** Characters that end a line for `.`, `^` and `$`. */
export const isLineEnd = within('\\n\\r\\x85\\u2028\\u2029');
export const isWordChar = within('\\w');

/** One character against the inside of a JavaScript class; throws when the inside is not valid. */
function within(inside: string): CharTest {
  const set = new RegExp(`^[${inside}]$`, 'u');
  return (char) => set.test(char);
}

/** `\d` and its kin; the upper-case letter is the complement. `undefined` for a letter that is none of them. */
export function shorthand(letter: string): CharTest | undefined {
  const inside = /^[dwshv]$/i.test(letter) ? SHORTHAND[letter.toLowerCase()] : undefined;
  if (inside === undefined) return undefined;
  const test = within(inside);
  return letter < 'a' ? negate(test) : test;
}

/** What stands in `\p{…}`: an ASCII class, a general category, a script or binary property with `Is`, or `name=value`. */
export function property(name: string): CharTest {
  if (name.length > 1 && Object.hasOwn(SHORTHAND, name)) return within(SHORTHAND[name] as string);
  const [, is, bare = ''] = /^(Is)?(.*)$/s.exec(name) ?? [];
  if (is === undefined) return within(`\\p{${bare.replace(/^script=/, 'Script=')}}`);
  try {
    return within(`\\p{${bare}}`);
  } catch {
    return within(`\\p{Script=${bare}}`);
  }
}

export function negate(test: CharTest): CharTest {
  return (char) => !test(char);
}

/** How characters are compared: as they are, or without case for ASCII (`i`) or all letters (`iu`). */
export function folding(flags: string): (char: string) => string {
  if (!flags.includes('i')) return (char) => char;
  return (char) => (flags.includes('u') || char < '\x80' ? char.toUpperCase().toLowerCase() : char);
}

/** A test that also takes the other case of a character, where the flags say so. */
export function inAnyCase(test: CharTest, flags: string): CharTest {
  const fold = folding(flags);
  if (!flags.includes('i')) return test;
  return (char) => {
    const low = fold(char);
    const high = low.toUpperCase();
    return test(char) || test(low) || (fold(high) === low && test(high));
  };
}
