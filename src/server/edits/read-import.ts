/** The file of an import, decoded and held to the rules of a flag, with the path of what is wrong. */
import type { Flag, Segment } from '../../core/model.ts';
import { readFlags } from '../../core/protocol/decode-flag.ts';
import {
  fail,
  type Json,
  readBoolean,
  readCount,
  readObject,
  readOptional,
  readString,
} from '../../core/protocol/read.ts';
import type { FlagRecord } from '../record.ts';
import { checkFilled, checkKey, checkOperator, checkPercent, checkShares, checkTag } from './checks.ts';

/** A flag of the file, and what the file says beside the model; absent fields keep what the server has. */
export interface ImportedFlag {
  readonly flag: Flag;
  readonly beside: Partial<Omit<FlagRecord, 'flag'>>;
}

/** `{flags: […]}` as REST, snapshot or evaluation-cache export spell it. Throws `invalid_data` with the path that is wrong. */
export function readImport(body: unknown): readonly ImportedFlag[] {
  const { flags } = readObject(body, 'The body');
  const models = readFlags(flags, 'flags');
  return models.map((flag, index) => {
    const path = `flags[${index}]`;
    checkFlag(flag, path);
    return { flag, beside: readBeside(readObject(Array.isArray(flags) && flags[index], path), path) };
  });
}

function readBeside(json: Json, path: string): ImportedFlag['beside'] {
  const fields = {
    notes: readOptional(json.notes, `${path}.notes`, undefined, readString),
    createdBy: readOptional(json.createdBy, `${path}.createdBy`, undefined, readString),
    updatedBy: readOptional(json.updatedBy, `${path}.updatedBy`, undefined, readString),
    environmentId: readOptional(json.environmentId, `${path}.environmentId`, undefined, readCount),
    projectId: readOptional(json.projectId, `${path}.projectId`, undefined, readCount),
    archived: readOptional(json.archived, `${path}.archived`, false, readBoolean),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function checkFlag(flag: Flag, path: string): void {
  checkID(flag.id, `${path}.id`);
  checkKey(flag.key, `${path}.key`);
  checkIDs(flag.segments, `${path}.segments`);
  checkIDs(flag.variants, `${path}.variants`);
  for (const [index, key] of flag.dependsOn.entries()) checkKey(key, `${path}.dependsOn[${index}]`);
  for (const [index, { value }] of flag.tags.entries()) checkTag(value, `${path}.tags[${index}].value`);
  for (const [index, { key }] of flag.variants.entries()) checkKey(key, `${path}.variants[${index}].key`);
  for (const [index, segment] of flag.segments.entries()) {
    checkSegment(segment, flag, `${path}.segments[${index}]`);
  }
}

function checkSegment(
  { rolloutPercent, constraints, distributions }: Segment,
  flag: Flag,
  path: string,
): void {
  checkPercent(rolloutPercent, `${path}.rolloutPercent`);
  constraints.forEach(({ property, operator, value }, index) => {
    checkFilled(property, `${path}.constraints[${index}].property`);
    checkOperator(operator, `${path}.constraints[${index}].operator`);
    checkFilled(value, `${path}.constraints[${index}].value`);
  });
  distributions.forEach(({ variantID, percent }, index) => {
    checkPercent(percent, `${path}.distributions[${index}].percent`);
    if (!flag.variants.some(({ id }) => id === variantID)) {
      fail(`${path}.distributions[${index}].variantID`, 'the id of a variant of this flag', variantID);
    }
  });
  if (distributions.length > 0) checkShares(distributions, `${path}.distributions`);
}

function checkID(id: number, path: string): void {
  if (id === 0) fail(path, 'a whole number from 1', id);
}

function checkIDs(parts: readonly { readonly id: number }[], path: string): void {
  const seen = new Set<number>();
  parts.forEach(({ id }, index) => {
    checkID(id, `${path}[${index}].id`);
    if (seen.has(id)) fail(`${path}[${index}].id`, 'different in every item', id);
    seen.add(id);
  });
}
