/** The sqlite source: the contract in memory and in a file, and what only a file can do. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { createFlag, setArchived, setEnabled, updateFlag } from '../../src/server/edits/flags.ts';
import { addTag } from '../../src/server/edits/variants-and-tags.ts';
import { openSqliteSource } from '../../src/server/index.ts';
import { flagSourceContract, newFlag, words } from './flag-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'flagent-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true }));

const newFile = () => join(folder, `${randomBytes(6).toString('hex')}.db`);
const open = (file: string, keptChanges = 100) =>
  openSqliteSource({ file, keptChanges, waitMs: 0, nowMs: () => 1_000_000_000_000, report: () => undefined });

flagSourceContract('sqlite in memory', (keptChanges) => open(':memory:', keptChanges));
flagSourceContract('sqlite in a file', (keptChanges) => open(newFile(), keptChanges));

test('a file that is opened again has the same epoch, revision, flags, ids and log', async () => {
  const file = newFile();
  const first = open(file);
  await first.edit(createFlag(newFlag('a', { isSimpleBoolean: true }), ''));
  await first.edit(addTag(1, 'web'));
  await first.edit(updateFlag(1, { notes: 'for editors', key: 'b' }));
  await first.edit(createFlag(newFlag('gone'), ''));
  await first.edit(setArchived(2, true));
  const before = {
    epoch: first.epoch,
    revision: first.revision,
    records: [...first.catalogue.records],
    tags: [...first.catalogue.tags],
    lastIDs: first.catalogue.lastIDs,
    log: first.since({ epoch: first.epoch, revision: 0 }),
  };
  await first.close();

  const again = open(file);
  expect({
    epoch: again.epoch,
    revision: again.revision,
    records: [...again.catalogue.records],
    tags: [...again.catalogue.tags],
    lastIDs: again.catalogue.lastIDs,
    log: again.since({ epoch: again.epoch, revision: 0 }),
  }).toEqual(before);
  const next = await again.edit(createFlag(newFlag('next'), ''));
  expect([next.flag.id, next.flag.snapshotID]).toEqual([3, before.revision + 1]);
  await again.close();
});

test('two new files are two histories', async () => {
  const [one, other] = [open(newFile()), open(newFile())];
  expect(one.epoch).not.toBe(other.epoch);
  await Promise.all([one.close(), other.close()]);
});

test('an edit that the disk refuses is in neither memory nor file, and nobody hears of it', async () => {
  const file = newFile();
  const source = open(file);
  await source.edit(createFlag(newFlag('a'), ''));
  const heard: unknown[] = [];
  source.watch((commit) => heard.push(commit));
  // The ids are stored last: by then the transaction has written the flag and its change.
  const unstorable = {
    ...source.catalogue.lastIDs,
    get tag(): number {
      throw new Error('disk full');
    },
  };
  const broken = { ...setEnabled([1], true)(source.catalogue), lastIDs: unstorable };
  await expect(source.edit(() => broken)).rejects.toThrow('disk full');
  expect([source.revision, source.catalogue.byKey('a')?.flag.enabled, heard]).toEqual([1, false, []]);
  await source.edit(setEnabled([1], true));
  await source.close();
  const again = open(file);
  expect(words(again.since({ epoch: again.epoch, revision: 0 }))).toEqual([
    '1 FLAG_CREATED a',
    '2 FLAG_ENABLED a',
  ]);
  await again.close();
});

const problem = (file: string): unknown => {
  try {
    void open(file).close();
    return undefined;
  } catch (error) {
    return error;
  }
};

test('a database of another program is refused by name and left as it is', () => {
  const file = newFile();
  const other = new DatabaseSync(file);
  other.exec('CREATE TABLE music (title TEXT)');
  other.close();
  const before = readFileSync(file);
  expect(problem(file)).toMatchObject({
    code: 'environment',
    message: expect.stringContaining(`${file} is not a flagent-offline database`),
  });
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(existsSync(`${file}-wal`)).toBe(false);
});

test.each([
  [
    'a text file',
    'this is no database at all, but a text of some length\n'.repeat(40),
    'is not a flagent-offline',
  ],
  ['our header with rubbish behind', undefined, 'is damaged'],
])('%s is refused by name', async (_, text, words) => {
  const file = newFile();
  if (text === undefined) {
    const source = open(file);
    for (let index = 0; index < 50; index += 1) await source.edit(createFlag(newFlag(`flag-${index}`), ''));
    await source.close();
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 7)]));
  } else writeFileSync(file, text);
  expect(problem(file)).toMatchObject({ code: 'environment', message: expect.stringContaining(words) });
});

test('a file of a newer format, a folder, and a path that is not there are refused by name', async () => {
  const newer = newFile();
  await open(newer).close();
  const database = new DatabaseSync(newer);
  database.exec('PRAGMA user_version = 99');
  database.close();
  expect(problem(newer)).toMatchObject({
    code: 'environment',
    message: expect.stringContaining('format 99'),
  });
  const directory = newFile();
  mkdirSync(directory);
  expect(problem(directory)).toMatchObject({
    code: 'environment',
    message: expect.stringContaining(directory),
  });
  expect(problem(join(folder, 'nowhere', 'flags.db'))).toMatchObject({ code: 'environment' });
});

test('a file that another server holds is refused until it lets go', async () => {
  const file = newFile();
  const first = open(file);
  expect(problem(file)).toMatchObject({ code: 'environment', message: expect.stringContaining('in use') });
  await first.close();
  expect(problem(file)).toBeUndefined();
});
