/** Edits of flags as a whole: create, update, enable, delete, restore. */

import type { Flag } from '../../core/model.ts';
import { fail } from '../../core/protocol/read.ts';
import { type FlagRecord, type IDs, idsAfter } from '../record.ts';
import { type Edit, liveRecord, recordOf } from './edit-flag.ts';
import type { FlagUpdate, NewFlag } from './inputs.ts';

/** `madeUpKey` is used when the input has no key. */
export function createFlag(input: NewFlag, madeUpKey: string): Edit<FlagRecord> {
  return ({ lastIDs }) => {
    const ids = idsAfter(lastIDs);
    const id = ids.next('flag');
    const key = input.key ?? madeUpKey;
    refuseOwnKey(key, input.dependsOn);
    const record: FlagRecord = {
      flag: {
        id,
        key,
        description: input.description,
        enabled: false,
        snapshotID: 0,
        dataRecordsEnabled: false,
        entityType: null,
        dependsOn: input.dependsOn,
        ...(input.isSimpleBoolean ? simpleBoolean(ids) : { segments: [], variants: [] }),
        tags: [],
        updatedAt: null,
      },
      notes: null,
      createdBy: null,
      updatedBy: null,
      environmentId: input.environmentId,
      projectId: input.projectId,
      archived: false,
    };
    return {
      writes: [{ record, type: 'FLAG_CREATED' }],
      lastIDs: ids.last,
      answer: (now) => recordOf(now, id),
    };
  };
}

/** The template: everybody gets the one variant `on`. */
function simpleBoolean(ids: IDs): Pick<Flag, 'segments' | 'variants'> {
  const variant = { id: ids.next('variant'), key: 'on', attachment: null };
  const everybody = {
    id: ids.next('segment'),
    description: '',
    rank: 999,
    rolloutPercent: 100,
    constraints: [],
    distributions: [
      { id: ids.next('distribution'), variantID: variant.id, variantKey: variant.key, percent: 100 },
    ],
  };
  return { segments: [everybody], variants: [variant] };
}

export function updateFlag(flagID: number, input: FlagUpdate): Edit<FlagRecord> {
  return (catalogue) => {
    const before = liveRecord(catalogue, flagID);
    const { notes, environmentId, projectId, entityType, ...fields } = input;
    const record: FlagRecord = {
      ...before,
      ...(notes !== undefined && { notes }),
      ...(environmentId !== undefined && { environmentId }),
      ...(projectId !== undefined && { projectId }),
      flag: {
        ...before.flag,
        ...fields,
        ...(entityType !== undefined && { entityType: entityType === '' ? null : entityType }),
      },
    };
    refuseOwnKey(record.flag.key, record.flag.dependsOn);
    return {
      writes: [{ record, type: 'FLAG_UPDATED' }],
      lastIDs: catalogue.lastIDs,
      answer: (now) => recordOf(now, flagID),
    };
  };
}

function refuseOwnKey(key: string, dependsOn: readonly string[]): void {
  if (dependsOn.includes(key)) fail('dependsOn', "a list without the flag's own key", dependsOn);
}

/** A flag that is so already has no change. */
export function setEnabled(flagIDs: readonly number[], enabled: boolean): Edit<readonly FlagRecord[]> {
  return (catalogue) => {
    const records = flagIDs.map((id) => liveRecord(catalogue, id));
    const type = enabled ? 'FLAG_ENABLED' : 'FLAG_DISABLED';
    return {
      writes: records.map((record) => ({
        record: { ...record, flag: { ...record.flag, enabled } },
        type,
      })),
      lastIDs: catalogue.lastIDs,
      answer: (now) => flagIDs.map((id) => recordOf(now, id)),
    };
  };
}

/** Deleted flags are kept, for their ids and to be restored. */
export function setArchived(flagID: number, archived: boolean): Edit<FlagRecord> {
  return (catalogue) => ({
    writes: [
      {
        record: { ...recordOf(catalogue, flagID), archived },
        type: archived ? 'FLAG_DELETED' : 'FLAG_CREATED',
      },
    ],
    lastIDs: catalogue.lastIDs,
    answer: (now) => recordOf(now, flagID),
  });
}
