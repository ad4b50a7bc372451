/** What every flag source must do, as tests: run it with each implementation. */
import { expect, test } from 'vitest';
import type { FlagError } from '../../src/core/errors.ts';
import type { EventId } from '../../src/core/model.ts';
import { createFlag, setArchived, setEnabled, updateFlag } from '../../src/server/edits/flags.ts';
import { importFlags } from '../../src/server/edits/import-flags.ts';
import type { NewFlag } from '../../src/server/edits/inputs.ts';
import { readImport } from '../../src/server/edits/read-import.ts';
import type { FlagSource, RecordedChange } from '../../src/server/index.ts';

/** A new, empty source that keeps `keptChanges` changes, with a clock that stands at 1 000 000 000 000 ms. */
export type MakeFlagSource = (keptChanges: number) => FlagSource | Promise<FlagSource>;

export function newFlag(key: string, more: Partial<NewFlag> = {}): NewFlag {
  return {
    key,
    description: '',
    isSimpleBoolean: false,
    dependsOn: [],
    environmentId: null,
    projectId: null,
    ...more,
  };
}

/** Changes as short words: `3 FLAG_UPDATED a`. */
export function words(changes: readonly RecordedChange[] | 'snapshot-needed'): readonly string[] | string {
  if (changes === 'snapshot-needed') return changes;
  return changes.map(({ change }) => `${change.revision} ${change.type} ${change.flagKey}`);
}

export function flagSourceContract(name: string, make: MakeFlagSource): void {
  const opened = async (use: (source: FlagSource) => Promise<void>, keptChanges = 100) => {
    const source = await make(keptChanges);
    try {
      await use(source);
    } finally {
      await source.close();
    }
  };
  const at = (source: FlagSource, revision: number): EventId => ({ epoch: source.epoch, revision });

  test(`${name}: starts at revision 0 with an epoch that can stand in an event id`, () =>
    opened(async (source) => {
      expect(source.revision).toBe(0);
      expect(source.epoch).toMatch(/^[\w-]{1,64}$/);
      expect(source.catalogue.records.size).toBe(0);
      expect(source.since(at(source, 0))).toEqual([]);
    }));

  test(`${name}: gives each change the next revision, which is also the flag's snapshotID`, () =>
    opened(async (source) => {
      const created = await source.edit(createFlag(newFlag('a'), ''));
      expect(created.flag).toMatchObject({ id: 1, snapshotID: 1, updatedAt: '2001-09-09T01:46:40.000' });
      const [enabled] = await source.edit(setEnabled([1], true));
      expect(enabled?.flag).toMatchObject({ enabled: true, snapshotID: 2 });
      expect(source.revision).toBe(2);
      expect(words(source.since(at(source, 0)))).toEqual(['1 FLAG_CREATED a', '2 FLAG_ENABLED a']);
    }));

  test(`${name}: an edit that changes nothing has no revision and no change`, () =>
    opened(async (source) => {
      await source.edit(createFlag(newFlag('a'), ''));
      const heard: unknown[] = [];
      source.watch((commit) => heard.push(commit));
      await source.edit(setEnabled([1], false));
      await source.edit(setArchived(1, false));
      await source.edit(updateFlag(1, { description: '' }));
      expect([source.revision, heard]).toEqual([1, []]);
    }));

  test(`${name}: a renamed flag is deleted under its old key and created under its new one, in one commit`, () =>
    opened(async (source) => {
      await source.edit(createFlag(newFlag('old'), ''));
      const heard: unknown[] = [];
      source.watch((commit) => heard.push(words(commit)));
      const { flag } = await source.edit(updateFlag(1, { key: 'new' }));
      expect(heard).toEqual([['2 FLAG_DELETED old', '3 FLAG_CREATED new']]);
      expect(flag).toMatchObject({ id: 1, key: 'new', snapshotID: 3 });
      expect([source.catalogue.byKey('old'), source.catalogue.byKey('new')?.flag.id]).toEqual([undefined, 1]);
    }));

  test(`${name}: refuses a key that another flag has, and takes it when that flag is deleted`, () =>
    opened(async (source) => {
      await source.edit(createFlag(newFlag('a'), ''));
      await expect(source.edit(createFlag(newFlag('a'), ''))).rejects.toMatchObject({ status: 409 });
      expect(source.revision).toBe(1);
      await source.edit(setArchived(1, true));
      const again = await source.edit(createFlag(newFlag('a'), ''));
      expect(again.flag.id).toBeGreaterThan(1);
      await expect(source.edit(setArchived(1, false))).rejects.toMatchObject({ status: 409 });
    }));

  test(`${name}: writes nothing when the decision throws or one of its writes is refused`, () =>
    opened(async (source) => {
      await source.edit(createFlag(newFlag('a'), ''));
      await source.edit(createFlag(newFlag('b'), ''));
      const failing = source.edit(() => {
        throw new Error('undecided');
      });
      await expect(failing).rejects.toThrow('undecided');
      await expect(
        source.edit((catalogue) => {
          const [a, b] = [...catalogue.records.values()];
          if (a === undefined || b === undefined) throw new Error('two flags expected');
          return {
            writes: [
              { record: { ...a, flag: { ...a.flag, enabled: true } }, type: 'FLAG_ENABLED' },
              { record: { ...b, flag: { ...b.flag, key: 'a' } }, type: 'FLAG_UPDATED' },
            ],
            lastIDs: catalogue.lastIDs,
            answer: () => undefined,
          };
        }),
      ).rejects.toMatchObject({ status: 409 });
      expect(source.catalogue.byKey('a')?.flag.enabled).toBe(false);
      expect(source.revision).toBe(2);
    }));

  test(`${name}: says what was missed as it was, and the tags before each change`, () =>
    opened(async (source) => {
      await source.edit(importFlags(readImport({ flags: [tagged('web')] })));
      await source.edit(importFlags(readImport({ flags: [tagged('app')] })));
      await source.edit(setArchived(1, true));
      const missed = source.since(at(source, 1));
      expect(words(missed)).toEqual(['2 FLAG_UPDATED a', '3 FLAG_DELETED a']);
      if (missed === 'snapshot-needed') return;
      expect(missed.map(({ previousTags }) => previousTags)).toEqual([['web'], ['app']]);
      expect(missed[0]?.change).toEqual({
        type: 'FLAG_UPDATED',
        epoch: source.epoch,
        revision: 2,
        timestampMs: 1_000_000_000_000,
        flagID: 1,
        flagKey: 'a',
        flag: expect.objectContaining({ snapshotID: 2, tags: [{ id: 2, value: 'app' }] }),
      });
      expect(missed[1]?.change.flag).toBeNull();
    }));

  test(`${name}: a snapshot is needed after another epoch, from the future, or from before the log`, () =>
    opened(async (source) => {
      for (const key of ['a', 'b', 'c', 'd']) await source.edit(createFlag(newFlag(key), ''));
      expect(source.since({ epoch: 'other', revision: 4 })).toBe('snapshot-needed');
      expect(source.since(at(source, 5))).toBe('snapshot-needed');
      expect(source.since(at(source, 1))).toBe('snapshot-needed');
      expect(words(source.since(at(source, 2)))).toEqual(['3 FLAG_CREATED c', '4 FLAG_CREATED d']);
      expect(source.since(at(source, 4))).toEqual([]);
    }, 2));

  test(`${name}: watchers hear each commit when it can be read, until they stop, whatever another one throws`, () =>
    opened(async (source) => {
      const heard: unknown[] = [];
      source.watch(() => {
        throw new Error('a broken watcher');
      });
      const stop = source.watch((commit) => heard.push([source.revision, words(commit)]));
      await source.edit(createFlag(newFlag('a'), ''));
      stop();
      await source.edit(createFlag(newFlag('b'), ''));
      expect(heard).toEqual([[1, ['1 FLAG_CREATED a']]]);
    }));

  test(`${name}: an edit made by a watcher comes after the commit that it heard, for everybody`, () =>
    opened(async (source) => {
      const heard: unknown[] = [];
      let followUp: Promise<unknown> | undefined;
      source.watch((commit) => {
        if (commit[0]?.change.revision === 1) followUp = source.edit(createFlag(newFlag('b'), ''));
      });
      source.watch((commit) => heard.push(words(commit)));
      await source.edit(createFlag(newFlag('a'), ''));
      await followUp;
      expect(heard).toEqual([['1 FLAG_CREATED a'], ['2 FLAG_CREATED b']]);
    }));

  test(`${name}: edits asked for at once are made one after the other`, () =>
    opened(async (source) => {
      const keys = Array.from({ length: 20 }, (_, index) => `flag-${index}`);
      const records = await Promise.all(keys.map((key) => source.edit(createFlag(newFlag(key), ''))));
      expect(new Set(records.map(({ flag }) => flag.id)).size).toBe(20);
      expect(source.revision).toBe(20);
    }));

  test(`${name}: keys that are names of object properties are keys like any other`, () =>
    opened(async (source) => {
      for (const key of ['__proto__', 'constructor', 'toString']) {
        await source.edit(createFlag(newFlag(key), ''));
        expect(source.catalogue.byKey(key)?.flag.key).toBe(key);
      }
      expect(source.catalogue.byKey('valueOf')).toBeUndefined();
    }));

  test(`${name}: keeps records in ascending order of id, also those of an import`, () =>
    opened(async (source) => {
      await source.edit(importFlags(readImport({ flags: [5, 9].map(numbered) })));
      await source.edit(importFlags(readImport({ flags: [7, 2].map(numbered) })));
      await source.edit(createFlag(newFlag('new'), ''));
      expect([...source.catalogue.records.keys()]).toEqual([2, 5, 7, 9, 10]);
    }));

  test(`${name}: refuses edits when it is closed, and closes once`, async () => {
    const source = await make(10);
    await source.close();
    await source.close();
    const error: unknown = await source.edit(createFlag(newFlag('a'), '')).catch((reason: unknown) => reason);
    expect((error as FlagError).code).toBe('closed');
  });
}

function tagged(value: string): object {
  return { id: 1, key: 'a', enabled: false, tags: [{ value }] };
}

function numbered(id: number): object {
  return { id, key: `flag-${id}`, enabled: false };
}
