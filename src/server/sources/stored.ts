/** Rows of our own database, decoded like everything else from outside. */
import { readFlag } from '../../core/protocol/decode-flag.ts';
import { readChange } from '../../core/protocol/messages.ts';
import {
  readBoolean,
  readCount,
  readJson,
  readList,
  readObject,
  readOptional,
  readString,
} from '../../core/protocol/read.ts';
import { type FlagRecord, ID_KINDS, type LastIDs } from '../record.ts';
import type { RecordedChange } from './contract.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;

export function readRecord(text: unknown): FlagRecord {
  const json = readObject(readJson(readString(text, 'flag.record'), 'flag.record', NO_LIMIT), 'record');
  return {
    flag: readFlag(json.flag, 'record.flag'),
    notes: readOptional(json.notes, 'record.notes', null, readString),
    createdBy: readOptional(json.createdBy, 'record.createdBy', null, readString),
    updatedBy: readOptional(json.updatedBy, 'record.updatedBy', null, readString),
    environmentId: readOptional(json.environmentId, 'record.environmentId', null, readCount),
    projectId: readOptional(json.projectId, 'record.projectId', null, readCount),
    archived: readBoolean(json.archived, 'record.archived'),
  };
}

export function readRecordedChange(row: Record<string, unknown>, epoch: string): RecordedChange {
  const previousTags = readOptional(row.previous_tags, 'change.previous_tags', undefined, readText);
  return {
    change: readChange(readObject(readText(row.change, 'change.change'), 'change'), 'change', epoch),
    previousTags:
      previousTags === undefined ? undefined : readList(previousTags, 'change.previous_tags', readString),
  };
}

function readText(value: unknown, path: string): unknown {
  return readJson(readString(value, path), path, NO_LIMIT);
}

export function readRevision(meta: ReadonlyMap<string, unknown>): number {
  return readCount(Number(meta.get('revision')), 'meta.revision');
}

export function readIDs(meta: ReadonlyMap<string, unknown>): LastIDs {
  const ids = ID_KINDS.map((kind) => [
    kind,
    readCount(Number(meta.get(`last_${kind}`)), `meta.last_${kind}`),
  ]);
  return Object.fromEntries(ids);
}
