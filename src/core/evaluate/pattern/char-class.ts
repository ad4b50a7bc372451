/** What stands between brackets, with Java's unions, intersections and oddities. */
import { type CharSet, caseHeldBy, not, range, single } from './char-set.ts';
import { codePointOf, readEscape } from './escape.ts';
import { type Reader, readNested } from './reader.ts';
import { refuse } from './refusal.ts';

/**
 * Reads on after a `[`, or after an `&&` up to its `]`, which stays.
 * Oddities on purpose: of several `&&` the last binds first; a `]` is a character when nothing came before it; single characters are
 * collected once per class, so those after an intersection also count before it.
 */
export function readClass(reader: Reader, opening: '[' | '&&'): CharSet {
  const singles = new Set<number>();
  const letterCase = caseHeldBy(reader);
  // Java has no other case for `ß` in a class.
  const isSingle: CharSet = (char) =>
    singles.has(letterCase ? letterCase.fold(char) : char) && char !== 0x1e9e;
  let hasSingles = false;
  let members: CharSet[] = [];
  /** What an intersection with nothing intersects with; none after a single character, where Java fails. */
  let last: CharSet | undefined;
  const joinSingles = (): void => {
    if (!hasSingles) return;
    if (members.length === 0) last = isSingle;
    members.push(isSingle);
    hasSingles = false;
  };

  const isNegative = opening === '[' && reader.raw(0) === '^';
  if (isNegative) reader.at += 1;
  for (;;) {
    const char = reader.peek();
    if (char === '[') {
      reader.at += 1;
      last = readNested(reader, () => readClass(reader, '['));
      members.push(last);
    } else if (char === ']' && (members.length > 0 || hasSingles)) {
      if (opening === '[') reader.at += 1;
      joinSingles();
      return isNegative ? not(anyOf(members)) : anyOf(members);
    } else if (char === '&' && startsIntersection(reader)) {
      const right = readRight(reader);
      joinSingles();
      last = right ?? last;
      const left = members.length > 0 ? anyOf(members) : (right ?? refuse('invalid'));
      const other = last ?? refuse('unsupported');
      members = [(tested) => left(tested) && other(tested)];
    } else {
      const member = readMember(reader);
      last = typeof member === 'number' ? undefined : member;
      if (last) members.push(last);
      else {
        hasSingles = true;
        singles.add(letterCase ? letterCase.fold(member as number) : (member as number));
      }
    }
  }
}

function anyOf(members: readonly CharSet[]): CharSet {
  return (char) => members.some((set) => set(char));
}

/** With blanks between two signs that are no `&&`, Java loses the first. */
function startsIntersection(reader: Reader): boolean {
  reader.at += 1;
  const isDouble = reader.peek() === '&';
  reader.at += isDouble ? 1 : -1;
  return isDouble;
}

/** What follows `&&`, up to the next one or the end of the class. */
function readRight(reader: Reader): CharSet | undefined {
  const members: CharSet[] = [];
  for (let char = reader.peek(); char !== ']' && char !== '&'; char = reader.peek()) {
    const opening = char === '[' ? '[' : '&&';
    if (opening === '[') reader.at += 1;
    members.push(readNested(reader, () => readClass(reader, opening)));
  }
  return members.length > 0 ? anyOf(members) : undefined;
}

/** A range or a set, or a single character up to U+00FF. */
function readMember(reader: Reader): CharSet | number {
  const letterCase = caseHeldBy(reader);
  const first = readChar(reader, 'start');
  if (typeof first === 'function') return first;
  if (reader.peek() === '-' && reader.raw(1) !== '[' && reader.raw(1) !== ']') {
    reader.at += 1;
    const last = readChar(reader, 'end');
    if (typeof last === 'function' || last < first) refuse('invalid');
    return range(first, last, letterCase);
  }
  return first > 0xff ? single(first, letterCase) : first;
}

function readChar(reader: Reader, where: 'start' | 'end'): number | CharSet {
  const char = reader.read();
  if (char !== '\\') return codePointOf(char);
  // `\v` is one character where a range begins or ends.
  if (reader.raw(0) === 'v' && (where === 'end' || reader.raw(1) === '-')) {
    reader.at += 1;
    return 0x0b;
  }
  return readEscape(reader);
}
