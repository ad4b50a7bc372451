/** Conditions on a place in the text: where it, a line or a word begins and ends. */
import { quick, setOf, WORD } from './char-set.ts';
import { moving, type Piece } from './piece.ts';
import type { Reader } from './reader.ts';
import type { Program, Progress } from './state.ts';

function condition(program: Program, holds: (progress: Progress, index: number) => boolean): Piece {
  return moving(program, (progress, index) => (holds(progress, index) ? index : -1));
}

export function textStart(program: Program): Piece {
  return condition(program, (_, index) => index === 0);
}

export function textEnd(program: Program): Piece {
  return condition(program, ({ text }, index) => index === text.length);
}

/** `^` under `(?m)`. No line begins at the very end. */
export function lineStart(program: Program, reader: Reader): Piece {
  const isBreak = lineBreaks(reader);
  return condition(
    program,
    ({ text }, index) => index < text.length && (index === 0 || isBreak(text, index - 1, index)),
  );
}

/** `$`, which also holds before the last break of the text, or before every break. */
export function lineEnd(program: Program, reader: Reader, breaks: 'last' | 'all'): Piece {
  const isBreak = lineBreaks(reader);
  return condition(
    program,
    ({ text }, index) =>
      index === text.length ||
      (isBreak(text, index, index) && (breaks === 'all' || /^(\r\n|.)$/s.test(text.slice(index, index + 3)))),
  );
}

/** Whether the character at an index ends a line, and no half of `\r\n` remains on the other side of `border`. */
function lineBreaks(reader: Reader): (text: string, index: number, border: number) => boolean {
  if (reader.has('d')) return (text, index) => text[index] === '\n';
  return (text, index, border) =>
    /[\n\r\x85\u2028\u2029]/.test(text.charAt(index)) &&
    !(text[border - 1] === '\r' && text[border] === '\n');
}

/** `\b` and `\B`. Without `(?U)` Java takes letters and digits of all scripts for parts of words, although `\w` does not. */
export function wordBoundary(program: Program, reader: Reader, isWanted: boolean): Piece {
  const isWord = quick(setOf(reader.has('U') ? WORD : `_${LETTER_OR_DIGIT}`));
  return condition(program, (progress, index) => {
    const { text } = progress;
    const pair = text.codePointAt(index - 2) ?? 0;
    const before = pair > 0xffff ? pair : text.codePointAt(index - 1);
    const isInWord = (char: number | undefined, at: number): boolean =>
      char !== undefined && (isWord(char) || (isMark(char) && isCarried(progress, at)));
    return (
      ((index > 0 && isInWord(before, index - 1)) !== isInWord(text.codePointAt(index), index)) === isWanted
    );
  });
}

const LETTER_OR_DIGIT = '\\p{L}\\p{Nd}';
const isMark = setOf('\\p{Mn}');
const isLetterOrDigit = setOf(LETTER_OR_DIGIT);

/** What it costs to look at a mark, in steps. */
const MARK_STEPS = 5;

/** Goes back over marks to a letter or digit. Java goes by units here, and so does this. */
function isCarried({ text, spend }: Progress, index: number): boolean {
  for (let at = index; at >= 0; at -= 1) {
    const char = text.codePointAt(at) as number;
    if (isLetterOrDigit(char)) return true;
    if (!isMark(char)) return false;
    spend(MARK_STEPS);
  }
  return false;
}
