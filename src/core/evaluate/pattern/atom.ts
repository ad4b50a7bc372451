/** What stands for one character or for a place in the text: signs, escapes, anchors, back references. */
import { lineEnd, lineStart, textEnd, textStart, wordBoundary } from './boundary.ts';
import { readClass } from './char-class.ts';
import { type CharSet, caseHeldBy, escapedSet, quick, setOf, single } from './char-set.ts';
import { codePointOf, readEscape } from './escape.ts';
import { reference } from './group.ts';
import { atomic, character, NOTHING, oneOf, type Piece, sequence } from './piece.ts';
import type { Reader } from './reader.ts';
import { refuse, undecided } from './refusal.ts';
import type { Program } from './state.ts';

/** Where the reading of a pattern has come to. */
export interface Parsing {
  readonly reader: Reader;
  readonly program: Program;
  /** Groups by name. */
  readonly names: Map<string, number>;
}

export function readAtom(parsing: Parsing): Piece {
  const { reader, program } = parsing;
  const char = reader.peek();
  // Java repeats nothing where there is nothing to repeat.
  if (char === '{') return NOTHING;
  reader.at += 1;
  if ('*+?'.includes(char)) refuse('invalid');
  if (char === '[') return ofSet(program, readClass(reader, '['));
  if (char === '.') return ofSet(program, anyCharacter(reader));
  if (char === '^') return reader.has('m') ? lineStart(program, reader) : textStart(program);
  if (char === '$') return lineEnd(program, reader, reader.has('m') ? 'all' : 'last');
  return char === '\\' ? readEscaped(parsing) : literal(parsing, codePointOf(char));
}

function ofSet(program: Program, set: CharSet): Piece {
  return character(program, quick(set));
}

function anyCharacter(reader: Reader): CharSet {
  if (reader.has('s')) return () => true;
  return setOf(reader.has('d') ? '^\\n' : '^\\n\\r\\x85\\u2028\\u2029');
}

function literal({ reader, program }: Parsing, char: number): Piece {
  const letterCase = caseHeldBy(reader);
  if (!letterCase) return character(program, char);
  const set = single(char, letterCase);
  // Java takes `ẞ` for `ß` next to other characters, but not alone.
  const isSharp = char === 0xdf && reader.has('u');
  return ofSet(program, isSharp ? (tested) => (tested === 0x1e9e ? undecided() : set(tested)) : set);
}

function readEscaped(parsing: Parsing): Piece {
  const { reader, program } = parsing;
  const letter = reader.raw(0);
  reader.at += 1;
  switch (letter) {
    case 'A':
    case 'G':
      return textStart(program);
    case 'z':
      return textEnd(program);
    case 'Z':
      return lineEnd(program, reader, 'last');
    case 'b':
      if (reader.peek() === '{' && reader.raw(1) === 'g') refuse('unsupported');
      return wordBoundary(program, reader, true);
    case 'B':
      return wordBoundary(program, reader, false);
    case 'R':
      return lineBreak(parsing);
    case 'X':
      return refuse('unsupported');
    case 'k':
      return readNamedReference(parsing);
  }
  if (/[1-9]/.test(letter)) return readReference(parsing, Number(letter));
  reader.at -= 1;
  const escaped = readEscape(reader);
  return typeof escaped === 'number' ? literal(parsing, escaped) : ofSet(program, escaped);
}

function lineBreak({ reader, program }: Parsing): Piece {
  const pair = sequence([character(program, 13), character(program, 10)]);
  const one = ofSet(program, escapedSet('v', reader) as CharSet);
  const either = { ...oneOf(program, [pair, one]), isFixed: true };
  // Repeated, it does not give back what it took.
  return /[*+?{]/.test(reader.peek()) ? atomic(program, either) : either;
}

/** As many digits as there are groups for. */
function readReference({ reader, program }: Parsing, first: number): Piece {
  let group = first;
  while (/\d/.test(reader.peek()) && group * 10 + Number(reader.peek()) <= program.groupCount) {
    group = group * 10 + Number(reader.read());
  }
  return reference(program, group, caseHeldBy(reader));
}

function readNamedReference({ reader, program, names }: Parsing): Piece {
  if (reader.read() !== '<') refuse('invalid');
  const group = names.get(readName(reader)) ?? refuse('invalid');
  return reference(program, group, caseHeldBy(reader));
}

/** The name of a group, and the `>` after it. */
export function readName(reader: Reader): string {
  let name = '';
  let char = reader.read();
  for (; /[a-z\d]/i.test(char); char = reader.read()) name += char;
  return char === '>' && /^[a-z]/i.test(name) ? name : refuse('invalid');
}
