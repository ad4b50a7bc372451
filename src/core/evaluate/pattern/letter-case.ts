/** Characters without their case, as Java maps it: always to one character again. Characters are code points. */

export interface LetterCase {
  upper(char: number): number;
  /** Equal for two characters that differ in case only. */
  fold(char: number): number;
}

/** What `(?i)` alone means. */
export const ASCII_CASE: LetterCase = {
  upper: (char) => (char >= 97 && char <= 122 ? char - 32 : char),
  fold: (char) => (char >= 65 && char <= 90 ? char + 32 : char),
};

/** What `(?iu)` means. */
export const UNICODE_CASE: LetterCase = { upper, fold: (char) => lower(upper(char)) };

/** JavaScript has `ΑΙ` for `ᾳ`; Java's one character for it is eight or nine further on. Where there is none, as for `ß`, it stays. */
function upper(char: number): number {
  const text = String.fromCodePoint(char).toUpperCase();
  const first = text.codePointAt(0) as number;
  if (String.fromCodePoint(first) === text) return first;
  return [char + 8, char + 9].find((title) => lower(title) === char) ?? char;
}

function lower(char: number): number {
  return String.fromCodePoint(char).toLowerCase().codePointAt(0) as number;
}
