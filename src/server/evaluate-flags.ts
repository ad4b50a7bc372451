/** Evaluation on the server, for REST and WebSocket: the flags of a source, decided by the code that decides in the tab. */
import { randomInt } from 'node:crypto';
import { evaluate } from '../core/evaluate/evaluate.ts';
import type { EvaluationRequest, EvaluationResult, FlagLookup } from '../core/evaluate/evaluation.ts';
import { compilePattern } from '../core/evaluate/pattern.ts';
import { isBlank, textOf } from '../core/evaluate/text.ts';
import type { FlagSource } from './sources/contract.ts';

/**
 * Decides with the flags that the source has now. Unlike the tab, the server makes up an id for an entity without one, as Flagent does:
 * such an entity gets a variant by chance. Never throws.
 */
export function evaluateAsServer(source: FlagSource, request: EvaluationRequest): EvaluationResult {
  const hasEntity = !isBlank(textOf(request.entityID) ?? '');
  return evaluate(lookupIn(source), hasEntity ? request : { ...request, entityID: madeUpEntityID() });
}

/** The catalogue is indexed by id and by key already, and current by itself. Archived flags do not exist here. */
function lookupIn({ catalogue }: FlagSource): FlagLookup {
  return {
    compilePattern,
    byKey: (key) => catalogue.byKey(key)?.flag,
    byID: (id) => {
      const record = catalogue.records.get(id);
      return record === undefined || record.archived ? undefined : record.flag;
    },
  };
}

/** Ends in any 32-bit integer with its sign, as the JVM's `nextInt` gives it. */
function madeUpEntityID(): string {
  return `randomly_generated_${randomInt(-(2 ** 31), 2 ** 31)}`;
}
