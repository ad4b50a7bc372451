/** How a pattern, or the test of a text, is given up. Thrown here and caught in `pattern.ts` and `match.ts`, never seen outside. */

export function refuse(problem: 'invalid' | 'unsupported'): never {
  throw new Error(problem);
}

/** The text takes too many steps, or Java's answer to it hangs on more than is kept here. */
export function undecided(): never {
  throw new RangeError('undecided');
}
