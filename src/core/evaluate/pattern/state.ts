/** What a pattern is made into: states, each of which knows the next. */
import type { CharSet } from './char-set.ts';
import { refuse } from './refusal.ts';

/** What does not apply to a kind of state is `undefined`. */
export interface State {
  readonly is: typeof CHAR | typeof SET | typeof CHOICE | typeof MOVE | typeof BODY | typeof END;
  /** CHAR: the code point. CHOICE and BODY: counts them from 0. */
  readonly number: number | undefined;
  readonly set: CharSet | undefined;
  readonly move: Move | undefined;
  next: State | undefined;
  /** CHOICE: what to try when all that begins with `next` has failed. */
  other: State | undefined;
  /** CHOICE: where a loop goes on that comes by without having taken a character. */
  exit: State | undefined;
}

export const CHAR = 0;
export const SET = 1;
export const CHOICE = 2;
export const MOVE = 3;
/** A move whose result depends on the place alone, unless there are back references. */
export const BODY = 4;
export const END = 5;

/** From an index of the text to where it is matched after it; −1 for no match. */
export type Move = (progress: Progress, index: number) => number;

/** How far a text is matched. */
export interface Progress {
  readonly text: string;
  /** Three per group: where it was last opened, and from where to where it last matched. */
  readonly slots: readonly number[];
  /** Undone when the way taken from here leads nowhere. */
  setSlot(slot: number, index: number): void;
  /** Counts work that is not seen in states. Throws when it becomes too much. */
  spend(steps: number): void;
  /** Where the first way through `body` ends from one of `starts`, the last first. Only an end at `goal` counts, if given. */
  run(body: State, starts: readonly number[], goal?: number): number;
}

/** A pattern in the making. */
export interface Program {
  stateCount: number;
  /** Of these, choices and bodies. */
  numberCount: number;
  /** Groups opened so far. */
  groupCount: number;
  /** Groups that back references name. */
  readonly referred: Set<number>;
}

/** A pattern of more states is unsupported. */
export const MAX_STATES = 10_000;

/** Also called for copies that may need no state, so that their number is bounded. */
export function countState(program: Program): void {
  program.stateCount += 1;
  if (program.stateCount > MAX_STATES) refuse('unsupported');
}

export function addState(
  program: Program,
  is: State['is'],
  next: State | undefined,
  { number, set, move, other }: Partial<State> = {},
): State {
  countState(program);
  const isNumbered = is === CHOICE || is === BODY;
  const state: State = {
    is,
    number: isNumbered ? program.numberCount : number,
    set,
    move,
    next,
    other,
    exit: undefined,
  };
  if (isNumbered) program.numberCount += 1;
  return state;
}
