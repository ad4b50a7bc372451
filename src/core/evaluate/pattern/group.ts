/** Groups that remember, and those that only look. */
import type { LetterCase } from './letter-case.ts';
import { moving, NOTHING, type Piece, sequence } from './piece.ts';
import { refuse, undecided } from './refusal.ts';
import { addState, BODY, END, type Move, type Program, type Progress, type State } from './state.ts';

/** Only what a back reference names is remembered. */
export function capture(program: Program, group: number, piece: Piece): Piece {
  const slot = 3 * group;
  const opening = moving(program, (progress, index) => {
    progress.setSlot(slot, index);
    return index;
  });
  const closing = moving(program, (progress, index) => {
    progress.setSlot(slot + 1, progress.slots[slot] as number);
    progress.setSlot(slot + 2, index);
    return index;
  });
  const whole = sequence([opening, piece, closing]);
  return { ...piece, build: (next) => (program.referred.has(group) ? whole : piece).build(next) };
}

/** The same text again; a group that has not matched is nowhere again. */
export function reference(program: Program, group: number, letterCase: LetterCase | undefined): Piece {
  program.referred.add(group);
  const piece = moving(program, ({ text, slots, spend }, index) => {
    const from = slots[3 * group + 1] ?? -1;
    const matched = text.slice(Math.max(from, 0), slots[3 * group + 2]);
    if (from < 0) return -1;
    spend(matched.length);
    const isSame = letterCase
      ? isSameInAnyCase(matched, text.slice(index, index + matched.length), letterCase)
      : text.startsWith(matched, index);
    return isSame ? index + matched.length : -1;
  });
  return { ...piece, most: Number.NaN };
}

/** Throws for characters beyond U+FFFF, of which Java compares too many. */
function isSameInAnyCase(one: string, other: string, { fold }: LetterCase): boolean {
  if (/[\ud800-\udfff]/.test(one)) undecided();
  return (
    one.length === other.length &&
    [...one].every((char, index) => fold(char.charCodeAt(0)) === fold(other.charCodeAt(index)))
  );
}

/** `=` for what must be there, `!` for what must not. */
export type Wanted = '=' | '!';

export function lookAhead(program: Program, piece: Piece, wanted: Wanted): Piece {
  return looking(program, piece, wanted, (progress, body, index) => progress.run(body, [index]));
}

/** Java starts wherever the piece could begin, the nearest place first. */
export function lookBehind(
  program: Program,
  piece: Piece,
  wanted: Wanted,
  unit: 'code point' | 'code unit',
): Piece {
  const { least, most } = piece;
  if (Number.isNaN(most)) refuse('invalid');
  // Java calls most of these invalid, others not, and miscounts some.
  if (most === Infinity) refuse('unsupported');
  return looking(program, piece, wanted, (progress, body, index) => {
    const starts: number[] = [];
    for (let start = index, length = 0; start >= 0 && length <= most; length += 1) {
      if (length >= least) starts.push(start);
      progress.spend(1);
      const before = unit === 'code point' ? (progress.text.codePointAt(start - 2) ?? 0) : 0;
      start -= before > 0xffff ? 2 : 1;
    }
    return progress.run(body, starts.reverse(), index);
  });
}

function looking(
  program: Program,
  piece: Piece,
  wanted: Wanted,
  run: (progress: Progress, body: State, index: number) => number,
): Piece {
  return {
    ...NOTHING,
    isConditional: true,
    build(next) {
      const body = piece.build(addState(program, END, undefined));
      const move: Move = (progress, index) =>
        run(progress, body, index) >= 0 === (wanted === '=') ? index : -1;
      return addState(program, BODY, next, { move });
    },
  };
}
