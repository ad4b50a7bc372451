/** Java regular expressions over a whole text. The one place that knows how they are run. */
import { translatePattern } from './java-syntax.ts';

/** True when the whole text matches. */
export type Pattern = (text: string) => boolean;

/**
 * In UTF-16 units. A longer pattern is invalid and a longer text does not match.
 * This bounds what a careless pattern costs, not what a hostile one does: the engine of the browser backtracks.
 */
export const PATTERN_LIMITS = { patternLength: 1_000, textLength: 1_000 } as const;

/** `undefined` when Java refuses the pattern, when it is too long, or when it cannot be translated. */
export function compilePattern(source: string): Pattern | undefined {
  if (source.length > PATTERN_LIMITS.patternLength) return undefined;
  try {
    const whole = translatePattern(source);
    return (text) => text.length <= PATTERN_LIMITS.textLength && whole.test(text);
  } catch {
    return undefined;
  }
}
