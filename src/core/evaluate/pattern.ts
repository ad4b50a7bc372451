/**
 * Java regular expressions over a whole text, in bounded time whatever the pattern: flags come from a server, and a page must not hang on one.
 * This file is the interface; `pattern-syntax` reads a pattern, `pattern-nodes` runs it. No native backtracking takes part.
 */
import { costLeft, type Node } from './pattern-nodes.ts';
import { readPattern } from './pattern-syntax.ts';

/** True when the whole text matches. */
export type Pattern = (text: string) => boolean;

/** Limits in UTF-16 units and in places tried. A longer pattern is invalid; a longer text, or one that costs more, does not match. */
export const PATTERN_LIMITS = { patternLength: 2_000, textLength: 2_000, cost: 500_000 } as const;

/** `undefined` when the pattern is not valid Java syntax, too long, or uses what is not supported (`\X`, `\N{…}`, `(?d)`, `(?U)`, Unicode blocks). */
export function compilePattern(source: string): Pattern | undefined {
  if (source.length > PATTERN_LIMITS.patternLength) return undefined;
  let root: Node;
  try {
    root = readPattern(source);
  } catch {
    return undefined;
  }
  return (text) => text.length <= PATTERN_LIMITS.textLength && matchesWhole(root, [...text]);
}

function matchesWhole(root: Node, chars: readonly string[]): boolean {
  const run = { chars, cost: PATTERN_LIMITS.cost };
  const ends = root(run, [{ at: 0, groups: [] }]);
  return costLeft(run) && ends.some(({ at }) => at === chars.length);
}
