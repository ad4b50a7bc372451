/** The bodies of evaluation requests, decoded. Unknown fields are skipped; null counts as absent, as Flagent's clients send it. */
import type { Entity, EvaluationRequest } from '../../core/evaluate/evaluation.ts';
import { textOf } from '../../core/evaluate/text.ts';
import {
  fail,
  type Json,
  readBoolean,
  readCount,
  readList,
  readObject,
  readOptional,
  readString,
} from '../../core/protocol/read.ts';

const BODY = 'The body';

/** Its context has only texts: what was sent, as it is compared. */
export interface AskedEntity extends Entity {
  readonly entityContext?: Readonly<Record<string, string>>;
}

export type AskedEvaluation = AskedEntity & Omit<EvaluationRequest, keyof Entity>;

/** Names at least one entity, and at least one flag or tag. */
export interface AskedBatch {
  readonly entities: readonly AskedEntity[];
  readonly flagIDs: readonly number[];
  readonly flagKeys: readonly string[];
  readonly flagTags: readonly string[];
  /** Whether one of `flagTags` is enough or a flag needs all of them. */
  readonly flagTagsOperator: 'ANY' | 'ALL';
  readonly enableDebug: boolean;
}

/** Throws `invalid_data` with the path that is wrong. A request that names no flag is in order: there is no such flag. */
export function readEvaluation(body: unknown): AskedEvaluation {
  const json = readObject(body, BODY);
  const flagID = readOptional(json.flagID, 'flagID', undefined, readCount);
  const flagKey = readOptional(json.flagKey, 'flagKey', undefined, readString);
  return {
    ...readEntity(json, ''),
    ...(flagID !== undefined && { flagID }),
    ...(flagKey !== undefined && { flagKey }),
    enableDebug: readEnableDebug(json),
  };
}

/** Throws `invalid_data` with the path that is wrong. */
export function readEvaluationBatch(body: unknown): AskedBatch {
  const json = readObject(body, BODY);
  const entities = readList(json.entities, 'entities', (entity, path) =>
    readEntity(readObject(entity, path), `${path}.`),
  );
  const flagIDs = readList(json.flagIDs, 'flagIDs', readCount);
  const flagKeys = readList(json.flagKeys, 'flagKeys', readString);
  const flagTags = readList(json.flagTags, 'flagTags', readString);
  if (entities.length === 0) fail('entities', 'a list of at least one entity', json.entities);
  if (flagIDs.length + flagKeys.length + flagTags.length === 0) {
    fail('flagIDs, flagKeys or flagTags', 'a list that names at least one flag', undefined);
  }
  return {
    entities,
    flagIDs,
    flagKeys,
    flagTags,
    flagTagsOperator: readOptional(json.flagTagsOperator, 'flagTagsOperator', 'ANY', readTagsOperator),
    enableDebug: readEnableDebug(json),
  };
}

function readEntity(json: Json, at: string): AskedEntity {
  const entityID = readOptional(json.entityID, `${at}entityID`, undefined, readString);
  const entityType = readOptional(json.entityType, `${at}entityType`, undefined, readString);
  const entityContext = readOptional(json.entityContext, `${at}entityContext`, undefined, readContext);
  return {
    ...(entityID !== undefined && { entityID }),
    ...(entityType !== undefined && { entityType }),
    ...(entityContext !== undefined && { entityContext }),
  };
}

/** Flagent's own server takes only strings; here it is what the tab takes, so that both can be asked the same. */
function readContext(value: unknown, path: string): Readonly<Record<string, string>> {
  const present = Object.entries(readObject(value, path)).filter(([, found]) => found !== null);
  return Object.fromEntries(
    present.map(([property, found]) => [
      property,
      textOf(found) ?? fail(`${path}.${property}`, 'a string, a number, true or false', found),
    ]),
  );
}

function readTagsOperator(value: unknown, path: string): 'ANY' | 'ALL' {
  return value === 'ANY' || value === 'ALL' ? value : fail(path, 'ANY or ALL', value);
}

function readEnableDebug({ enableDebug }: Json): boolean {
  return readOptional(enableDebug, 'enableDebug', false, readBoolean);
}
