/** The pieces of a pattern, from a character to a repeated group. */
import type { CharSet } from './char-set.ts';
import { refuse } from './refusal.ts';
import {
  addState,
  BODY,
  CHAR,
  CHOICE,
  countState,
  END,
  MOVE,
  type Move,
  type Program,
  SET,
  type State,
} from './state.ts';

export interface Piece {
  /** New states, the last of which leads to `next`. */
  build(next: State): State;
  /** How many characters it takes, as Java counts them; `most` is NaN where Java says that it does not know. */
  readonly least: number;
  readonly most: number;
  /** It can match in one way only, as far as Java sees. */
  readonly isFixed: boolean;
  /** Whether it matches may depend on more than the characters it takes. */
  readonly isConditional: boolean;
}

export interface Repetition {
  readonly least: number;
  readonly most: number;
  readonly greed: 'greedy' | 'lazy' | 'possessive';
}

export const NOTHING: Piece = {
  build: (next) => next,
  least: 0,
  most: 0,
  isFixed: true,
  isConditional: false,
};

export function character(program: Program, wanted: number | CharSet): Piece {
  return {
    build: (next) =>
      typeof wanted === 'number'
        ? addState(program, CHAR, next, { number: wanted })
        : addState(program, SET, next, { set: wanted }),
    least: 1,
    most: 1,
    isFixed: true,
    isConditional: false,
  };
}

/** Takes no character, or as many as `move` says. */
export function moving(program: Program, move: Move): Piece {
  return { ...NOTHING, isConditional: true, build: (next) => addState(program, MOVE, next, { move }) };
}

export function sequence(pieces: readonly Piece[]): Piece {
  return {
    build: (next) => pieces.reduceRight((state, piece) => piece.build(state), next),
    least: pieces.reduce((sum, { least }) => sum + least, 0),
    most: pieces.reduce((sum, { most }) => sum + most, 0),
    isFixed: pieces.every(({ isFixed }) => isFixed),
    isConditional: pieces.some(({ isConditional }) => isConditional),
  };
}

/** The first that leads to a match. */
export function oneOf(program: Program, ways: readonly Piece[]): Piece {
  return {
    build: (next) =>
      ways
        .map((way) => way.build(next))
        .reduceRight((other, state) => addState(program, CHOICE, state, { other })),
    least: Math.min(...ways.map(({ least }) => least)),
    most: Math.max(...ways.map(({ most }) => most)),
    isFixed: false,
    isConditional: ways.some(({ isConditional }) => isConditional),
  };
}

/** Takes its first match and tries no other. */
export function atomic(program: Program, piece: Piece): Piece {
  return {
    ...piece,
    build(next) {
      const body = piece.build(addState(program, END, undefined));
      return addState(program, BODY, next, { move: (progress, index) => progress.run(body, [index]) });
    },
  };
}

/** What is repeated, in Java's view, and the groups that remember something: it is one itself, or has some inside. */
export interface Repeated {
  readonly as: 'atom' | 'group';
  readonly groups: 'none' | 'own' | 'inner';
}

export function repeat(
  program: Program,
  piece: Piece,
  { least, most, greed }: Repetition,
  repeated: Repeated,
): Piece {
  const { isFixed } = piece;
  if (greed === 'possessive') {
    const once = isFixed ? piece : atomic(program, piece);
    return atomic(
      program,
      repeat(program, once, { least, most, greed: 'greedy' }, { ...repeated, as: 'atom' }),
    );
  }
  const choose = (way: State | undefined, exit: State): State =>
    greed === 'lazy'
      ? addState(program, CHOICE, exit, { other: way })
      : addState(program, CHOICE, way, { other: exit });
  // Java does not know how long a group becomes that is repeated and can match in several ways.
  const isUnknown = repeated.as === 'group' && !isFixed && (least !== 0 || most !== 1);
  return {
    build(next) {
      if (most > 1 && isPeculiar()) refuse('unsupported');
      let state = most === Infinity ? loop(next) : next;
      for (let copy = most === Infinity ? most : least; copy < most; copy += 1) {
        countState(program);
        state = choose(piece.build(state), next);
      }
      for (let copy = 0; copy < least; copy += 1) {
        countState(program);
        state = piece.build(state);
      }
      return state;
    },
    least: least * piece.least,
    most: isUnknown ? Number.NaN : piece.most === Infinity ? Infinity : piece.most && piece.most * most,
    isFixed: isFixed && least === most,
    isConditional: piece.isConditional,
  };

  /**
   * Java leaves a loop that has matched nothing, however often it should go through; and after some loops its groups hold what they
   * should not.
   */
  function isPeculiar(): boolean {
    const isEmptiable = piece.least === 0;
    if (isEmptiable && least > 1 && !isFixed && piece.isConditional) return true;
    if (program.referred.size === 0) return false;
    if (isEmptiable) return true;
    return repeated.as === 'atom' ? repeated.groups !== 'none' : isFixed && repeated.groups === 'inner';
  }

  function loop(next: State): State {
    const state = choose(undefined, next);
    const way = piece.build(state);
    if (greed === 'lazy') state.other = way;
    else state.next = way;
    if (piece.least === 0) state.exit = next;
    return state;
  }
}
