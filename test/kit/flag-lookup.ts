/** Flags as the evaluator looks them up. */
import type { FlagLookup } from '../../src/core/evaluate/evaluation.ts';
import { compilePattern } from '../../src/core/evaluate/pattern.ts';
import type { Flag } from '../../src/core/model.ts';

export function lookup(flags: readonly Flag[]): FlagLookup {
  const byKey = new Map(flags.map((flag) => [flag.key, flag]));
  const byID = new Map(flags.map((flag) => [flag.id, flag]));
  return { compilePattern, byKey: (key) => byKey.get(key), byID: (id) => byID.get(id) };
}
