/** Java's syntax, read from left to right into pieces: ways, sequences, groups and quantifiers. */
import { type Parsing, readAtom, readName } from './atom.ts';
import { readDigits } from './escape.ts';
import { capture, lookAhead, lookBehind } from './group.ts';
import { atomic, NOTHING, oneOf, type Piece, type Repeated, repeat, sequence } from './piece.ts';
import { type Reader, readerOf, readNested } from './reader.ts';
import { refuse } from './refusal.ts';
import type { Program } from './state.ts';

export function parse(source: string, program: Program): Piece {
  const parsing: Parsing = { program, reader: readerOf(source), names: new Map() };
  const whole = readWays(parsing);
  return parsing.reader.peek() === '' ? whole : refuse('invalid');
}

function readWays(parsing: Parsing): Piece {
  const { reader, program } = parsing;
  const first = readSequence(parsing);
  const ways = [first];
  while (reader.peek() === '|') {
    reader.at += 1;
    ways.push(readSequence(parsing));
  }
  return ways.length > 1 ? oneOf(program, ways) : first;
}

function readSequence(parsing: Parsing): Piece {
  const pieces: Piece[] = [];
  for (;;) {
    const char = parsing.reader.peek();
    if (char === '' || char === '|' || char === ')') return sequence(pieces);
    pieces.push(
      char === '('
        ? readGroup(parsing)
        : readQuantifier(parsing, readAtom(parsing), { as: 'atom', groups: 'none' }),
    );
  }
}

/** A group, or flags that hold up to the end of the group they are in. */
function readGroup(parsing: Parsing): Piece {
  const { reader, program } = parsing;
  const { flags } = reader;
  const { groupCount } = program;
  const close = (make: (piece: Piece) => Piece, as: Repeated['as'] = 'group'): Piece => {
    const ownCount = program.groupCount;
    const inside = readNested(reader, () => readWays(parsing));
    if (reader.read() !== ')') refuse('invalid');
    reader.flags = flags;
    const groups = program.groupCount > ownCount ? 'inner' : ownCount > groupCount ? 'own' : 'none';
    return readQuantifier(parsing, make(inside), { as, groups });
  };
  reader.at += 1;
  if (reader.peek() !== '?') return close(numbered(program));
  reader.at += 2;
  const kind = reader.raw(-1);
  if (kind === ':') return close((piece) => piece);
  if (kind === '>') return close((piece) => atomic(program, piece), 'atom');
  if (kind === '=' || kind === '!') return close((piece) => lookAhead(program, piece, kind), 'atom');
  if (kind !== '<') {
    reader.at -= 1;
    return readFlags(reader) === ')' ? NOTHING : close((piece) => piece);
  }
  const sign = reader.peek();
  if (sign === '=' || sign === '!') {
    reader.at += 1;
    // Java counts whole characters only if it has seen one beyond U+FFFF from here on.
    const unit = /[\ud800-\udfff]/.test(reader.rest()) ? 'code point' : 'code unit';
    return close((piece) => lookBehind(program, piece, sign, unit), 'atom');
  }
  const name = readName(reader);
  if (parsing.names.has(name)) refuse('invalid');
  parsing.names.set(name, program.groupCount + 1);
  return close(numbered(program));
}

/** Groups are counted where they open. */
function numbered(program: Program): (piece: Piece) => Piece {
  program.groupCount += 1;
  const group = program.groupCount;
  return (piece) => capture(program, group, piece);
}

/** Reads flags, puts them in force, and returns the `)` or `:` that follows. */
function readFlags(reader: Reader): string {
  for (const isOn of [true, false]) {
    while (/[imsducxU]/.test(reader.peek())) {
      const flag = reader.raw(0);
      if (flag === 'c') refuse('unsupported');
      const changed = flag === 'U' ? 'uU' : flag;
      reader.flags = isOn
        ? reader.flags + changed
        : reader.flags.replace(new RegExp(`[${changed}]`, 'g'), '');
      reader.at += 1;
    }
    if (isOn && reader.peek() === '-') reader.at += 1;
    else break;
  }
  const end = reader.read();
  return end === ')' || end === ':' ? end : refuse('invalid');
}

/** Stands for no bound. What is larger is invalid. */
const MAX_COUNT = 2 ** 31 - 1;

function readQuantifier({ reader, program }: Parsing, piece: Piece, repeated: Repeated): Piece {
  const sign = reader.peek();
  let [least, most] = [0, Infinity];
  if (sign === '{') {
    if (!/\d/.test(reader.raw(1))) refuse('invalid');
    reader.at += 1;
    [least, most] = readCounts(reader);
  } else if (sign !== '' && '*+?'.includes(sign)) {
    reader.at += 1;
    if (sign === '+') least = 1;
    if (sign === '?') most = 1;
  } else return piece;
  const mode = reader.peek();
  const greed = mode === '?' ? 'lazy' : mode === '+' ? 'possessive' : 'greedy';
  if (greed !== 'greedy') reader.at += 1;
  return repeat(program, piece, { least, most, greed }, repeated);
}

function readCounts(reader: Reader): [least: number, most: number] {
  const least = Number(readDigits(reader, /\d/, Infinity));
  let most = least;
  let end = reader.read();
  if (end === ',') {
    const digits = readDigits(reader, /\d/, Infinity);
    most = digits === '' ? MAX_COUNT : Number(digits);
    end = reader.read();
  }
  if (end !== '}' || least > most || most > MAX_COUNT) refuse('invalid');
  const unbounded = (count: number): number => (count === MAX_COUNT ? Infinity : count);
  return [unbounded(least), unbounded(most)];
}
