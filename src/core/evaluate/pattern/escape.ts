/** What follows a backslash and means the same in a class and outside. */
import { type CharSet, escapedSet, not, readProperty } from './char-set.ts';
import type { Reader } from './reader.ts';
import { refuse } from './refusal.ts';

const CONTROL: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 };

/** A character, or a set of them. */
export function readEscape(reader: Reader): number | CharSet {
  const letter = reader.raw(0);
  reader.at += 1;
  if (letter === 'p') return readProperty(reader);
  if (letter === 'P') return not(readProperty(reader));
  if (letter === '0') return readOctal(reader);
  if (letter === 'x') return readHexadecimal(reader);
  if (letter === 'u') return readUnits(reader);
  if (letter === 'c') return codePointOf(reader.read()) ^ 64;
  if (letter === 'N' && reader.peek() === '{') return refuse('unsupported');
  const known = CONTROL[letter] ?? escapedSet(letter, reader);
  return known ?? (/[a-z1-9]/i.test(letter) ? refuse('invalid') : codePointOf(letter));
}

export function codePointOf(char: string): number {
  return char.codePointAt(0) ?? refuse('invalid');
}

/** One to three digits, up to 0377. */
function readOctal(reader: Reader): number {
  const digits = readDigits(reader, /[0-7]/, 2);
  const third = digits.length === 2 && digits < '4' ? readDigits(reader, /[0-7]/, 1) : '';
  return numberOf(digits + third, 8, 1);
}

/** `\x41` or `\x{1F600}`. */
function readHexadecimal(reader: Reader): number {
  if (reader.peek() !== '{') return numberOf(readDigits(reader, HEXADECIMAL, 2), 16, 2);
  reader.at += 1;
  const char = numberOf(readDigits(reader, HEXADECIMAL, Infinity), 16, 1);
  return reader.read() === '}' && char <= 0x10ffff ? char : refuse('invalid');
}

/** `\u0041`; two in a row may be the halves of one character. */
function readUnits(reader: Reader): number {
  const unit = numberOf(readDigits(reader, HEXADECIMAL, 4), 16, 4);
  const end = reader.at;
  if (unit >> 10 === 0x36 && reader.read() === '\\' && reader.read() === 'u') {
    const second = numberOf(readDigits(reader, HEXADECIMAL, 4), 16, 4);
    if (second >> 10 === 0x37) return codePointOf(String.fromCharCode(unit, second));
  }
  reader.at = end;
  return unit;
}

const HEXADECIMAL = /[\da-f]/i;

/** At least `least` digits, or the pattern is invalid. */
function numberOf(digits: string, radix: number, least: number): number {
  return digits.length < least ? refuse('invalid') : Number.parseInt(digits, radix);
}

export function readDigits(reader: Reader, digit: RegExp, most: number): string {
  let digits = '';
  while (digits.length < most && digit.test(reader.peek())) digits += reader.read();
  return digits;
}
