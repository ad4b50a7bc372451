/** Sets of characters: Java's classes, properties and ranges. JavaScript is asked about one character at a time, never more. */
import { ASCII_CASE, type LetterCase, UNICODE_CASE } from './letter-case.ts';
import type { Reader } from './reader.ts';
import { refuse } from './refusal.ts';

export type CharSet = (char: number) => boolean;

/** The characters of a JavaScript class, by what stands between its brackets. */
export function setOf(inside: string): CharSet {
  const set = new RegExp(`[${inside}]`, 'u');
  return (char) => set.test(String.fromCodePoint(char));
}

/** The same set, which remembers what it said of ASCII. */
export function quick(set: CharSet): CharSet {
  const known = new Uint8Array(128);
  return (char) => {
    if (char >= 128) return set(char);
    if (known[char] === 0) known[char] = set(char) ? 1 : 2;
    return known[char] === 1;
  };
}

export function not(set: CharSet): CharSet {
  return (char) => !set(char);
}

/** `undefined` where case counts. */
export function caseHeldBy(reader: Reader): LetterCase | undefined {
  return reader.has('i') ? (reader.has('u') ? UNICODE_CASE : ASCII_CASE) : undefined;
}

export function single(wanted: number, letterCase: LetterCase | undefined): CharSet {
  if (letterCase === undefined) return (char) => char === wanted;
  const folded = letterCase.fold(wanted);
  return (char) => letterCase.fold(char) === folded;
}

export function range(first: number, last: number, letterCase: LetterCase | undefined): CharSet {
  const isIn: CharSet = (char) => char >= first && char <= last;
  if (letterCase === undefined) return isIn;
  return (char) => isIn(char) || isIn(letterCase.upper(char)) || isIn(letterCase.fold(char));
}

const SPACE = ' \\t-\\r';
export const WORD = '\\p{Alpha}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_C}';
const LOWERCASE = '\\p{Lowercase}';
const UPPERCASE = '\\p{Uppercase}';
const TITLECASE = '\\p{Titlecase_Letter}';

/** `\d` and its like: plain, and under `(?U)`. */
const ESCAPED: Readonly<Record<string, readonly [plain: string, unicode?: string]>> = {
  d: ['0-9', '\\p{Nd}'],
  h: [' \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000'],
  s: [SPACE, '\\p{space}'],
  v: ['\\n-\\r\\x85\\u2028\\u2029'],
  w: ['0-9A-Z_a-z', WORD],
};

/** `\d`, `\D` and their like; `undefined` for any other letter. */
export function escapedSet(letter: string, reader: Reader): CharSet | undefined {
  const [plain, unicode] = ESCAPED[letter.toLowerCase()] ?? [];
  if (plain === undefined) return undefined;
  const set = setOf((reader.has('U') && unicode) || plain);
  return letter >= 'a' ? set : not(set);
}

/** POSIX names: plain, and as Unicode has them, which is what `(?U)` and a leading `Is` mean. */
const POSIX: Readonly<Record<string, readonly [plain: string, unicode: string]>> = {
  Alnum: ['0-9A-Za-z', '\\p{Alpha}\\p{Nd}'],
  Alpha: ['A-Za-z', '\\p{Alpha}'],
  Blank: [' \\t', '\\p{Zs}\\t'],
  Cntrl: ['\\0-\\x1f\\x7f', '\\p{Cc}'],
  Digit: ['0-9', '\\p{Nd}'],
  Graph: ['!-~', '^\\p{space}\\p{Cc}\\p{Cs}\\p{Cn}'],
  Lower: ['a-z', LOWERCASE],
  Print: [' -~', '^\\p{Zl}\\p{Zp}\\p{Cc}\\p{Cs}\\p{Cn}'],
  Punct: ['!-/:-@[-`{-~', '\\p{P}'],
  Space: [SPACE, '\\p{space}'],
  Upper: ['A-Z', UPPERCASE],
  XDigit: ['0-9A-Fa-f', '\\p{Nd}\\p{Hex}'],
};

/** Names after `Is`, in capitals. */
const UNICODE: Readonly<Record<string, string>> = {
  ALPHABETIC: '\\p{Alpha}',
  ASSIGNED: '\\P{Cn}',
  CONTROL: '\\p{Cc}',
  HEX_DIGIT: '\\p{Nd}\\p{Hex}',
  IDEOGRAPHIC: '\\p{Ideo}',
  JOIN_CONTROL: '\\p{Join_C}',
  LETTER: '\\p{L}',
  LOWERCASE,
  PUNCTUATION: '\\p{P}',
  TITLECASE,
  UPPERCASE,
  WHITE_SPACE: '\\p{space}',
  WORD,
};

const OTHER: Readonly<Record<string, string>> = {
  ASCII: '\\0-\\x7f',
  L1: '\\0-\\xff',
  LD: '\\p{L}\\p{Nd}',
  all: '^',
  javaAlphabetic: '\\p{Alpha}',
  javaDefined: '\\P{Cn}',
  javaDigit: '\\p{Nd}',
  javaISOControl: '\\p{Cc}',
  javaIdeographic: '\\p{Ideo}',
  javaLetter: '\\p{L}',
  javaLetterOrDigit: '\\p{L}\\p{Nd}',
  javaLowerCase: LOWERCASE,
  javaMirrored: '\\p{Bidi_M}',
  javaSpaceChar: '\\p{Z}',
  javaTitleCase: TITLECASE,
  javaUpperCase: UPPERCASE,
  javaWhitespace: '\\t-\\r\\x1c- \\u1680\\u2000-\\u2006\\u2008-\\u200a\\u2028\\u2029\\u205f\\u3000',
};

const CATEGORY = /^(L[Clmotu]?|M[cen]?|N[dlo]?|Z[lps]?|C[cfnos]?|P[cdefios]?|S[ckmo]?)$/;

/** What follows `\p` or `\P`: a letter, or a name in braces. */
export function readProperty(reader: Reader): CharSet {
  let name = reader.read();
  if (name === '{') {
    name = '';
    for (let char = reader.peek(); char !== '}'; char = reader.raw(0)) {
      name += char || refuse('invalid');
      reader.at += 1;
    }
    reader.at += 1;
  }
  const inside = namedInside(name, reader);
  return setOf(reader.has('i') ? withoutCase(inside) : inside);
}

function namedInside(name: string, reader: Reader): string {
  const [, key, value = ''] = /^(.*?)=(.*)$/s.exec(name) ?? [];
  if (key !== undefined) {
    if (/^(sc|script)$/i.test(key)) return script(value);
    if (/^(gc|general_category)$/i.test(key)) return plainInside(value) ?? refuse('invalid');
    return refuse(/^(blk|block)$/i.test(key) ? 'unsupported' : 'invalid');
  }
  if (name.startsWith('Is')) {
    const rest = name.slice(2);
    return UNICODE[rest.toUpperCase()] ?? posix(rest) ?? plainInside(rest) ?? script(rest);
  }
  return (
    (reader.has('U') ? posix(name) : undefined) ??
    plainInside(name) ??
    refuse(/^(In|java)/.test(name) ? 'unsupported' : 'invalid')
  );
}

function posix(name: string): string | undefined {
  const key = Object.keys(POSIX).find((posixName) => posixName.toUpperCase() === name.toUpperCase());
  return key && POSIX[key]?.[1];
}

function plainInside(name: string): string | undefined {
  if (CATEGORY.test(name)) return `\\p{${name}}`;
  return POSIX[name]?.[0] ?? (Object.hasOwn(OTHER, name) ? OTHER[name] : undefined);
}

/** Blocks have no name in JavaScript, and its scripts are spelled one way only: what it does not know, Java may. */
function script(name: string): string {
  const spelled = name.toLowerCase().replace(/(^|_)[a-z]/g, (initial) => initial.toUpperCase());
  const inside = `\\p{Script=${spelled}}`;
  try {
    // Two short names that Java does not know.
    if (/^Qaa/.test(spelled)) refuse('unsupported');
    setOf(inside);
  } catch {
    refuse('unsupported');
  }
  return inside;
}

/** Under `(?i)` a set of one case is a set of all cases. */
function withoutCase(inside: string): string {
  if (/^(a-z|A-Z)$/.test(inside)) return 'A-Za-z';
  if (/^\\p\{L[ltu]\}$/.test(inside)) return '\\p{LC}';
  return [LOWERCASE, UPPERCASE, TITLECASE].includes(inside) ? LOWERCASE + UPPERCASE + TITLECASE : inside;
}
