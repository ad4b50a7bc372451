/** Endpoints that evaluate flags: one flag for one entity, or many for many. They change nothing, so the read scope is enough. */
import { FlagError } from '../../core/errors.ts';
import type { Flag } from '../../core/model.ts';
import type { Catalogue, FlagSource } from '../sources/contract.ts';
import {
  type AskedBatch,
  type AskedEvaluation,
  readEvaluation,
  readEvaluationBatch,
} from './evaluation-requests.ts';
import { evaluationResponse } from './evaluation-response.ts';
import type { Route } from './route.ts';

/** In one batch. All of them are decided in one go, and meanwhile nobody else is served. */
const MAX_EVALUATIONS = 10_000;

export function evaluationRoutes(source: FlagSource, nowMs: () => number): readonly Route[] {
  return [
    evaluates('/evaluation', (body) => evaluationResponse(source, readEvaluation(body), nowMs())),
    evaluates('/evaluation/batch', (body) => ({
      evaluationResults: evaluationsIn(readEvaluationBatch(body), source.catalogue).map((asked) =>
        evaluationResponse(source, asked, nowMs()),
      ),
    })),
  ];
}

function evaluates(path: string, toAnswer: (body: unknown) => object): Route {
  return {
    method: 'POST',
    path,
    scope: 'read',
    answer: async ({ body }) => ({ json: toAnswer(await body()) }),
  };
}

/** In Flagent's order: for each entity the flags with the tags, then for each id and for each key all entities. Nothing is left out as double. */
function evaluationsIn(batch: AskedBatch, catalogue: Catalogue): readonly AskedEvaluation[] {
  const { entities, flagIDs, flagKeys, enableDebug } = batch;
  const tagged = enabledFlagsWithTags(batch, catalogue);
  refuseTooMany(entities.length, tagged.length + flagIDs.length + flagKeys.length);
  return [
    ...entities.flatMap((entity) => tagged.map(({ id }) => ({ ...entity, flagID: id, enableDebug }))),
    ...flagIDs.flatMap((flagID) => entities.map((entity) => ({ ...entity, flagID, enableDebug }))),
    ...flagKeys.flatMap((flagKey) => entities.map((entity) => ({ ...entity, flagKey, enableDebug }))),
  ];
}

function refuseTooMany(entities: number, flags: number): void {
  if (entities * flags <= MAX_EVALUATIONS) return;
  throw new FlagError(
    'too_large',
    `The batch asks for ${entities * flags} evaluations (${entities} entities × ${flags} flags); the limit is ${MAX_EVALUATIONS}. Send it in parts.`,
  );
}

/** Each flag once, in the order of the tags that were asked for, then by id. */
function enabledFlagsWithTags(
  { flagTags, flagTagsOperator }: AskedBatch,
  { records }: Catalogue,
): readonly Flag[] {
  if (flagTags.length === 0) return [];
  const found = new Map<string, Flag[]>(flagTags.map((tag) => [tag, []]));
  for (const { flag, archived } of records.values()) {
    if (archived || !flag.enabled) continue;
    const own = new Set(flag.tags.map(({ value }) => value));
    if (flagTagsOperator === 'ALL' && !flagTags.every((tag) => own.has(tag))) continue;
    for (const tag of own) found.get(tag)?.push(flag);
  }
  return [...new Set([...found.values()].flat())];
}
