/** Flags from outside: every field checked or given its default, unknown fields left out, always the same order of fields. */
import type { Constraint, Distribution, Flag, Segment, Tag, Variant } from '../model.ts';
import { LIMITS } from './limits.ts';
import {
  fail,
  readBoolean,
  readCount,
  readKey,
  readList,
  readNumber,
  readObject,
  readOptional,
  readString,
} from './read.ts';

export function readFlag(value: unknown, path: string): Flag {
  const json = readObject(value, path);
  return {
    id: readCount(json.id, `${path}.id`),
    key: readKey(json.key, `${path}.key`, LIMITS.keyLength),
    description: readOptional(json.description, `${path}.description`, '', readString),
    enabled: readBoolean(json.enabled, `${path}.enabled`),
    snapshotID: readOptional(json.snapshotID ?? json.snapshotId, `${path}.snapshotID`, 0, readCount),
    dataRecordsEnabled: readOptional(
      json.dataRecordsEnabled,
      `${path}.dataRecordsEnabled`,
      false,
      readBoolean,
    ),
    entityType: readOptional(json.entityType, `${path}.entityType`, null, readString),
    dependsOn: readList(json.dependsOn, `${path}.dependsOn`, readString),
    segments: readList(json.segments, `${path}.segments`, readSegment),
    variants: readList(json.variants, `${path}.variants`, readVariant),
    tags: readList(json.tags, `${path}.tags`, readTag),
    updatedAt: readOptional(json.updatedAt, `${path}.updatedAt`, null, readString),
  };
}

function readSegment(value: unknown, path: string): Segment {
  const json = readObject(value, path);
  return {
    id: readCount(json.id, `${path}.id`),
    description: readOptional(json.description, `${path}.description`, '', readString),
    rank: readOptional(json.rank, `${path}.rank`, 999, readNumber),
    rolloutPercent: readNumber(json.rolloutPercent, `${path}.rolloutPercent`),
    constraints: readList(json.constraints, `${path}.constraints`, readConstraint),
    distributions: readList(json.distributions, `${path}.distributions`, readDistribution),
  };
}

function readConstraint(value: unknown, path: string): Constraint {
  const json = readObject(value, path);
  return {
    id: readOptional(json.id, `${path}.id`, 0, readCount),
    property: readString(json.property, `${path}.property`),
    operator: readString(json.operator, `${path}.operator`),
    value: readString(json.value, `${path}.value`),
  };
}

function readDistribution(value: unknown, path: string): Distribution {
  const json = readObject(value, path);
  return {
    id: readOptional(json.id, `${path}.id`, 0, readCount),
    // Flagent's own export spells it `variantId`, its REST `variantID`.
    variantID: readCount(json.variantID ?? json.variantId, `${path}.variantID`),
    variantKey: readOptional(json.variantKey, `${path}.variantKey`, null, readString),
    percent: readNumber(json.percent, `${path}.percent`),
  };
}

function readVariant(value: unknown, path: string): Variant {
  const json = readObject(value, path);
  return {
    id: readCount(json.id, `${path}.id`),
    key: readKey(json.key, `${path}.key`, LIMITS.keyLength),
    attachment: readOptional(json.attachment, `${path}.attachment`, null, readAttachment),
  };
}

export function readAttachment(value: unknown, path: string): Record<string, string> {
  const entries = Object.entries(readObject(value, path));
  for (const [name, text] of entries) {
    if (typeof text !== 'string') fail(`${path}.${name}`, 'a string', text);
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

function readTag(value: unknown, path: string): Tag {
  // Hand-written files often list tags as plain words; the id matters to nobody but the server.
  if (typeof value === 'string') return { id: 0, value: readKey(value, path, LIMITS.keyLength) };
  const json = readObject(value, path);
  return {
    id: readOptional(json.id, `${path}.id`, 0, readCount),
    value: readKey(json.value, `${path}.value`, LIMITS.keyLength),
  };
}

/** A list of flags; a key or an id that stands twice is an error, since one of the two would be lost. */
export function readFlags(value: unknown, path: string): Flag[] {
  if (!Array.isArray(value)) fail(path, 'a list of flags', value);
  const flags = readList(value, path, readFlag, LIMITS.flags);
  refuseTwice(flags, path, 'key');
  refuseTwice(flags, path, 'id');
  return flags;
}

function refuseTwice(flags: readonly Flag[], path: string, field: 'key' | 'id'): void {
  const seen = new Set<string | number>();
  flags.forEach((flag, index) => {
    const value = flag[field];
    if (seen.has(value)) fail(`${path}[${index}].${field}`, `different in every flag`, value);
    seen.add(value);
  });
}
