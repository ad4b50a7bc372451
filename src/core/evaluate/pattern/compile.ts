/** From the source of a pattern to what tests texts. The one entry to this folder. */
import { createMatcher, type Matcher } from './match.ts';
import { parse } from './parse.ts';
import { refuse } from './refusal.ts';
import { addState, END, type Program } from './state.ts';

/** Longer patterns are unsupported. UTF-16 units. */
export const MAX_PATTERN_LENGTH = 2_000;

/** Throws for a pattern that has a problem. */
export function compileMatcher(source: string): Matcher {
  if (source.length > MAX_PATTERN_LENGTH) refuse('unsupported');
  const program: Program = { stateCount: 0, numberCount: 0, groupCount: 0, referred: new Set() };
  const first = parse(source, program).build(addState(program, END, undefined));
  const slotCount = program.referred.size > 0 ? 3 * (program.groupCount + 1) : 0;
  return createMatcher(first, program.numberCount, slotCount);
}
