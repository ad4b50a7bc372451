/** What evaluation asks of a pattern engine; `pattern.ts` is ours. */

/**
 * Why a pattern cannot decide. `invalid`: Java refuses it too, so it matches nothing and its negation everything. `unsupported`: Java
 * knows it and this engine does not. `too_costly`: it would take more steps than a page can spare. The last two hold for neither
 * EREG nor NEREG.
 */
export type PatternProblem = 'invalid' | 'unsupported' | 'too_costly';

export interface Pattern {
  readonly problem: Exclude<PatternProblem, 'too_costly'> | undefined;
  /** Whether the whole text matches; `undefined` when that cannot be decided here. Never throws. */
  test(text: string): boolean | undefined;
}

/** From the source of a Java regular expression. Never throws. */
export type CompilePattern = (source: string) => Pattern;
