/** Runs states over a text: ways are tried in order, and what has failed is not tried again. */
import type { CharSet } from './char-set.ts';
import { undecided } from './refusal.ts';
import { BODY, CHAR, CHOICE, MOVE, type Move, type Progress, SET, type State } from './state.ts';

/** Steps of one test, of which a state that is tried is one. More are too costly for a page. */
export const MAX_STEPS = 1_000_000;

/** Choices and bodies, times places in the text: what one test may have to remember. */
const MAX_CELLS = 1_000_000;

/** What it costs, in steps, to remember a choice together with what the groups hold. */
const GROUPS_STEPS = 30;

export interface Matcher {
  /** Whether the states lead from the beginning of the text to its end; `undefined` when that is too costly. */
  matches(text: string): boolean | undefined;
  /** What the last test took. */
  readonly steps: number;
}

/** `slotCount` is 0 for a pattern without back references. */
export function createMatcher(first: State, numberCount: number, slotCount: number): Matcher {
  /** In twos: a state that is left to try, and where; or a slot, and what it held. */
  const stack: (State | number)[] = [];
  let depth = 0;
  let steps = 0;
  let text = '';
  let slots: number[] = [];
  /** For each choice and place the run that came by last. Runs are counted over all tests, so that nothing has to be wiped. */
  let seen = new Float64Array();
  let runCount = 0;
  /** The same where it also matters what the groups hold. */
  const seenWithGroups = new Set<string>();
  /** Where a body ends, by its number and where it began. */
  const ends = new Map<number, number>();

  const progress: Progress = {
    get text() {
      return text;
    },
    get slots() {
      return slots;
    },
    setSlot(slot, index) {
      push(slot, slots[slot] as number);
      slots[slot] = index;
    },
    spend,
    run,
  };

  return {
    matches(whole) {
      const cells = numberCount * (whole.length + 1);
      steps = 0;
      if (cells > MAX_CELLS) return undefined;
      if (cells > seen.length) seen = new Float64Array(cells);
      text = whole;
      depth = 0;
      if (slotCount > 0) {
        slots = new Array(slotCount).fill(-1);
        seenWithGroups.clear();
      }
      if (ends.size > 0) ends.clear();
      try {
        return run(first, [0], text.length) >= 0;
      } catch {
        return undefined;
      }
    },
    get steps() {
      return steps;
    },
  };

  function push(left: State | number, index: number): void {
    stack[depth] = left;
    stack[depth + 1] = index;
    depth += 2;
  }

  function spend(count: number): void {
    steps += count;
    if (steps > MAX_STEPS) undecided();
  }

  function run(body: State, starts: readonly number[], goal = -1): number {
    runCount += 1;
    const runNumber = runCount;
    const base = depth;
    for (const start of starts) push(body, start);
    while (depth > base) {
      depth -= 2;
      const left = stack[depth] as State | number;
      let index = stack[depth + 1] as number;
      if (typeof left === 'number') {
        slots[left] = index;
        continue;
      }
      for (let state: State | undefined = left; state; ) {
        spend(1);
        if (state.is === CHAR || state.is === SET) index = take(state, index);
        else if (state.is === CHOICE) {
          if (isSeen(state, index, runNumber)) {
            state = state.exit;
            continue;
          }
          push(state.other as State, index);
        } else if (state.is === MOVE) index = (state.move as Move)(progress, index);
        else if (state.is === BODY) index = endOf(state, index);
        else if (goal < 0 || index === goal) {
          depth = base;
          return index;
        } else break;
        if (index < 0) break;
        state = state.next;
      }
    }
    return -1;
  }

  function take({ is, number, set }: State, index: number): number {
    if (index >= text.length) return -1;
    const unit = text.charCodeAt(index);
    const isSurrogate = (unit & 0xf800) === 0xd800;
    const char = isSurrogate ? (text.codePointAt(index) as number) : unit;
    const isTaken = is === CHAR ? char === number : (set as CharSet)(char);
    return isTaken ? index + (char > 0xffff ? 2 : 1) : -1;
  }

  function isSeen({ number }: State, index: number, runNumber: number): boolean {
    const cell = (number as number) * (text.length + 1) + index;
    if (slotCount === 0) {
      const isKnown = seen[cell] === runNumber;
      seen[cell] = runNumber;
      return isKnown;
    }
    spend(GROUPS_STEPS);
    const key = `${runNumber} ${cell} ${slots}`;
    const isKnown = seenWithGroups.has(key);
    seenWithGroups.add(key);
    return isKnown;
  }

  function endOf({ number, move }: State, index: number): number {
    const cell = (number as number) * (text.length + 1) + index;
    const known = slotCount === 0 ? ends.get(cell) : undefined;
    if (known !== undefined) return known;
    const end = (move as Move)(progress, index);
    if (slotCount === 0) ends.set(cell, end);
    return end;
  }
}
