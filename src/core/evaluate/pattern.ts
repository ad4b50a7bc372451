/** Java regular expressions over a whole text, in a number of steps that is bounded for every pattern and text. */
import { compileMatcher } from './pattern/compile.ts';
import type { Pattern } from './pattern-contract.ts';

/** Never throws. */
export function compilePattern(source: string): Pattern {
  try {
    const { matches } = compileMatcher(source);
    let last: string | undefined;
    let answer: boolean | undefined;
    return {
      problem: undefined,
      // The same context is asked about again and again.
      test(text) {
        if (text !== last) {
          answer = matches(text);
          last = text;
        }
        return answer;
      },
    };
  } catch (error) {
    // Anything but a clear refusal says nothing about Java.
    const isInvalid = error instanceof Error && error.message === 'invalid';
    return isInvalid
      ? { problem: 'invalid', test: () => false }
      : { problem: 'unsupported', test: () => undefined };
  }
}
