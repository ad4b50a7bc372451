/** Context values and blanks as the server's Java and Kotlin see them; JavaScript's own `trim` and `Number` differ. */

/** A context value as text; `undefined` for what has no form on the server: null, lists, objects. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Kotlin's whitespace: with the separators U+001C to U+001F, without the byte order mark. */
function isSpace(char: string): boolean {
  return (char >= '\x1c' && char <= '\x1f') || (char !== '\ufeff' && char.trim() === '');
}

export function isBlank(text: string): boolean {
  const first = text.charCodeAt(0);
  // Nearly always decided here, without a slice.
  if (first > 0x20 && first < 0x7f) return false;
  return trim(text) === '';
}

/** Without the spaces at both ends. */
export function trim(text: string, isTrimmed: (char: string) => boolean = isSpace): string {
  let start = 0;
  let end = text.length;
  while (start < end && isTrimmed(text.charAt(start))) start += 1;
  while (start < end && isTrimmed(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)p([+-]?\d+)$/i;

/** A number as `Double.parseDouble` reads it, `NaN` when it does not; `NaN` compares false with everything, like a failure. */
export function parseDouble(text: string): number {
  const short = parseDigits(text);
  if (short >= 0) return short;
  const digits = trim(text, (char) => char <= ' ');
  if (/^[+-]?Infinity$/.test(digits)) return Number(digits);
  const plain = digits.replace(/[df]$/i, '');
  if (DECIMAL.test(plain)) return Number(plain);
  // The suffixes d and f are hexadecimal digits too, but after the exponent they cannot be.
  const [, sign, whole = '', fraction = '', exponent] = HEXADECIMAL.exec(plain) ?? [];
  if (exponent === undefined) return Number.NaN;
  const mantissa = Number.parseInt(whole + fraction, 16) * (sign === '-' ? -1 : 1);
  return mantissa * 2 ** (Number(exponent) - 4 * fraction.length);
}

/** Short whole numbers, which are nearly all there are, without an expression; −1 for anything else. */
function parseDigits(text: string): number {
  if (text.length === 0 || text.length > 15) return -1;
  let number = 0;
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
