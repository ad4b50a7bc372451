/** Request bodies, decoded. Unknown fields are skipped; null counts as absent, as Flagent's clients send it. */
import type { Constraint, Distribution, Variant } from '../../core/model.ts';
import {
  fail,
  readBoolean,
  readCount,
  readList,
  readObject,
  readOptional,
  readString,
} from '../../core/protocol/read.ts';
import { checkFilled, checkKey, checkOperator, checkPercent, checkShares, checkTag } from './checks.ts';

const BODY = 'The body';

export interface NewFlag {
  /** Made up when absent. */
  readonly key: string | undefined;
  readonly description: string;
  readonly isSimpleBoolean: boolean;
  readonly dependsOn: readonly string[];
  readonly environmentId: number | null;
  readonly projectId: number | null;
}

export function readNewFlag(body: unknown): NewFlag {
  const json = readObject(body, BODY);
  const template = readOptional(json.template, 'template', undefined, readString);
  if (template !== undefined && template !== '' && template !== 'simple_boolean_flag') {
    fail('template', 'simple_boolean_flag or absent', template);
  }
  return {
    key: json.key === '' ? undefined : readOptional(json.key, 'key', undefined, checkKey),
    description: readString(json.description, 'description'),
    isSimpleBoolean: template === 'simple_boolean_flag',
    dependsOn: readList(json.dependsOn, 'dependsOn', checkKey),
    environmentId: readOptional(json.environmentId, 'environmentId', null, readCount),
    projectId: readOptional(json.projectId, 'projectId', null, readCount),
  };
}

/** What an update says; absent fields stay as they are. */
export interface FlagUpdate {
  readonly key?: string;
  readonly description?: string;
  readonly dataRecordsEnabled?: boolean;
  /** Empty: none. */
  readonly entityType?: string;
  readonly notes?: string;
  readonly dependsOn?: readonly string[];
  readonly environmentId?: number;
  readonly projectId?: number;
}

export function readFlagUpdate(body: unknown): FlagUpdate {
  const json = readObject(body, BODY);
  return present({
    key: readOptional(json.key, 'key', undefined, checkKey),
    description: readOptional(json.description, 'description', undefined, readString),
    dataRecordsEnabled: readOptional(json.dataRecordsEnabled, 'dataRecordsEnabled', undefined, readBoolean),
    entityType: readOptional(json.entityType, 'entityType', undefined, readString),
    notes: readOptional(json.notes, 'notes', undefined, readString),
    dependsOn: readOptional(json.dependsOn, 'dependsOn', undefined, readKeys),
    environmentId: readOptional(json.environmentId, 'environmentId', undefined, readCount),
    projectId: readOptional(json.projectId, 'projectId', undefined, readCount),
  });
}

type Present<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}

function readKeys(value: unknown, path: string): readonly string[] {
  return readList(value, path, checkKey);
}

export function readEnabled(body: unknown): boolean {
  return readBoolean(readObject(body, BODY).enabled, 'enabled');
}

export function readEnabledOfMany(body: unknown): {
  readonly ids: readonly number[];
  readonly enabled: boolean;
} {
  const ids = [...new Set(readList(readObject(body, BODY).ids, 'ids', readCount))];
  if (ids.length === 0) fail('ids', 'a list of at least one flag id', ids);
  return { ids, enabled: readEnabled(body) };
}

export interface SegmentInput {
  readonly description?: string;
  readonly rolloutPercent?: number;
}

export function readSegmentInput(body: unknown): SegmentInput {
  const json = readObject(body, BODY);
  return present({
    description: readOptional(json.description, 'description', undefined, readString),
    rolloutPercent: readOptional(json.rolloutPercent, 'rolloutPercent', undefined, checkPercent),
  });
}

export function readSegmentOrder(body: unknown): readonly number[] {
  const ids = readObject(body, BODY).segmentIDs;
  return Array.isArray(ids)
    ? readList(ids, 'segmentIDs', readCount)
    : fail('segmentIDs', 'a list of ids', ids);
}

export function readConstraintInput(body: unknown): Omit<Constraint, 'id'> {
  const json = readObject(body, BODY);
  return {
    property: checkFilled(json.property, 'property'),
    operator: checkOperator(json.operator, 'operator'),
    value: checkFilled(json.value, 'value'),
  };
}

export function readDistributionsInput(body: unknown): readonly Omit<Distribution, 'id'>[] {
  const shares = readList(readObject(body, BODY).distributions, 'distributions', (item, path) => {
    const json = readObject(item, path);
    return {
      variantID: readCount(json.variantID, `${path}.variantID`),
      variantKey: readOptional(json.variantKey, `${path}.variantKey`, null, readString),
      percent: checkPercent(json.percent, `${path}.percent`),
    };
  });
  checkShares(shares, 'distributions');
  return shares;
}

export interface VariantInput extends Omit<Variant, 'id' | 'attachment'> {
  /** Absent: none for a new variant, unchanged for an old one. */
  readonly attachment: Variant['attachment'] | undefined;
}

export function readVariantInput(body: unknown): VariantInput {
  const json = readObject(body, BODY);
  return {
    key: checkKey(json.key, 'key'),
    attachment: readOptional(json.attachment, 'attachment', undefined, readAttachment),
  };
}

function readAttachment(value: unknown, path: string): Variant['attachment'] {
  const entries = Object.entries(readObject(value, path));
  return Object.fromEntries(entries.map(([name, text]) => [name, readString(text, `${path}.${name}`)]));
}

export function readTagInput(body: unknown): string {
  return checkTag(readObject(body, BODY).value, 'value');
}
