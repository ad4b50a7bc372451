/** What the verbs print, and how a file of flags is read: without a process. */
import { expect, test } from 'vitest';
import { decodeFlagFile } from '../../src/cli/decode-flag-file.ts';
import { describeFlag } from '../../src/cli/print-flag.ts';
import { oneLine, printable } from '../../src/cli/printable.ts';
import { openWarning } from '../../src/cli/serve.ts';
import { collect } from '../../src/cli/server-options.ts';
import { humanLines, jsonLines } from '../../src/cli/watch-lines.ts';
import type { Change, ChangeType, Flag } from '../../src/core/model.ts';
import { readFlag } from '../../src/core/protocol/decode-flag.ts';
import type { Message } from '../../src/core/protocol/messages.ts';
import { type Held, reduce } from '../../src/core/state/reduce.ts';

const AT_MS = Date.parse('2026-03-05T10:00:00.000Z');

const flag = (key: string, more: object = {}): Flag =>
  readFlag({ id: key.length, key, enabled: true, ...more }, 'flag');

const snapshotOf = (revision: number, ...flags: Flag[]): Message => ({
  kind: 'snapshot',
  snapshot: { epoch: 'e', revision, flags },
  timestampMs: AT_MS,
});

function changeOf(type: ChangeType, more: Partial<Change> = {}): Message {
  const change: Change = {
    type,
    epoch: 'e',
    revision: 2,
    timestampMs: AT_MS,
    flagID: 1,
    flagKey: 'a',
    flag: flag('a'),
    ...more,
  };
  return { kind: 'change', change };
}

const held = reduce(undefined, snapshotOf(1, flag('a'), flag('bb'))).held;

function human(before: Held | undefined, message: Message, isFirst = false): string[] {
  return humanLines(reduce(before, message), message, { nowMs: 0, isFirst });
}

test('sums the first snapshot up in one line', () => {
  const first = snapshotOf(7, flag('a'), flag('bb', { enabled: false }));
  expect(human(undefined, first, true)).toEqual([
    '2026-03-05T10:00:00.000Z  7  snapshot: 2 flags, 1 of them enabled',
  ]);
});

test('a later snapshot also names what differs', () => {
  expect(human(held, snapshotOf(9, flag('a', { description: 'new' }), flag('ccc')))).toEqual([
    '2026-03-05T10:00:00.000Z  9  snapshot: 2 flags, 2 of them enabled',
    '2026-03-05T10:00:00.000Z  9  bb  gone',
    '2026-03-05T10:00:00.000Z  9  a  changed',
    '2026-03-05T10:00:00.000Z  9  ccc  changed',
  ]);
});

test.each<[ChangeType, Partial<Change>, string]>([
  ['FLAG_CREATED', {}, 'created, enabled'],
  ['FLAG_UPDATED', { flag: flag('a', { enabled: false }) }, 'updated, disabled'],
  ['FLAG_DELETED', { flag: null }, 'deleted'],
  ['FLAG_ENABLED', {}, 'enabled'],
  ['FLAG_DISABLED', {}, 'disabled'],
  ['SEGMENT_UPDATED', { segmentID: 5 }, 'segment 5 updated'],
  ['DISTRIBUTION_UPDATED', { segmentID: 5 }, 'distribution of segment 5 updated'],
])('says what %s means', (type, more, words) => {
  expect(human(held, changeOf(type, more))).toEqual([`2026-03-05T10:00:00.000Z  2  a  ${words}`]);
});

test('a clock out of range and a key with control characters stay on their line', () => {
  const odd = changeOf('FLAG_DISABLED', { timestampMs: 9e15, flagKey: 'a\u001b[2J\nb' });
  expect(human(held, odd)).toEqual(['9000000000000000 ms  2  "a\\u001b[2J\\nb"  disabled']);
});

test('prints changes as JSON with the whole flag, and of snapshots the keys', () => {
  const lines = (message: Message) =>
    jsonLines(reduce(held, message), message, { nowMs: 0, isFirst: false }).map((line) => JSON.parse(line));
  expect(lines(changeOf('FLAG_DISABLED'))).toEqual([
    {
      type: 'FLAG_DISABLED',
      epoch: 'e',
      revision: 2,
      timestampMs: AT_MS,
      flagID: 1,
      flagKey: 'a',
      flag: flag('a'),
    },
  ]);
  expect(lines(snapshotOf(3, flag('a')))).toEqual([
    { type: 'SNAPSHOT', epoch: 'e', revision: 3, timestampMs: AT_MS, flags: 1, changedKeys: ['bb'] },
  ]);
});

test('describes a flag with its variants and segments, and leaves empty rows out', () => {
  const full = flag('pay', {
    id: 4,
    description: 'New payment',
    tags: ['web', 'shop'],
    variants: [
      { id: 1, key: 'control' },
      { id: 2, key: 'treatment', attachment: { color: 'red' } },
    ],
    segments: [
      {
        id: 9,
        description: 'US users',
        rolloutPercent: 50,
        constraints: [{ property: 'country', operator: 'EQ', value: '"US"' }],
        distributions: [
          { variantID: 1, percent: 30 },
          { variantID: 2, variantKey: 'treatment', percent: 70 },
        ],
      },
    ],
  });
  expect(describeFlag(full).split('\n')).toEqual([
    'flag         pay (id 4)',
    'state        enabled',
    'description  New payment',
    'tags         web, shop',
    'variant      control',
    'variant      treatment {"color":"red"}',
    'segment      US users: lets 50 % in',
    '  if         country EQ "US"',
    '  gives      control 30 %, treatment 70 %',
  ]);
});

test.each([
  ['a Flagent export', { flags: [{ id: 1, key: 'a', enabled: true, snapshotId: 3 }] }],
  ['a snapshot', { epoch: 'e', revision: 3, flags: [{ id: 1, key: 'a', enabled: true, snapshotID: 3 }] }],
  ['a bare list', [{ id: 1, key: 'a', enabled: true, notes: 'kept' }]],
])('reads %s and leaves it as it is', (_, json) => {
  const flags = Array.isArray(json) ? json : json.flags;
  expect(decodeFlagFile(`\uFEFF${JSON.stringify(json)}`, 'f.json')).toEqual(flags);
});

test.each([
  ['no JSON', '{', 'f.json: The text is not JSON', 'The text'],
  ['no flags', '{"flag":[]}', 'f.json: flags must be a list of flags, but is missing.', 'flags'],
  ['a word', '"flags"', 'f.json: The text must be an object', 'The text'],
  ['a flag without a key', '[{"id":1}]', 'f.json: flags[0].key must be', 'flags[0].key'],
  [
    'one key twice',
    '[{"id":1,"key":"a","enabled":true},{"id":2,"key":"a","enabled":true}]',
    'f.json: flags[1].key',
    'flags[1].key',
  ],
])('names the file and the path of %s', (_, text, message, path) => {
  const reading = () => decodeFlagFile(text, 'f.json');
  expect(reading).toThrow(message);
  expect(reading).toThrow(expect.objectContaining({ code: 'invalid_data', path }));
});

test('text from outside can neither move the cursor nor begin a line', () => {
  expect(['plain key', '', ' x', 'a\u202eb', 'a\u0007'].map(printable)).toEqual([
    'plain key',
    '""',
    '" x"',
    '"a\\u{202e}b"',
    '"a\\u0007"',
  ]);
  expect(oneLine(' a\n  b\u001b[0m\r\n')).toBe('a b\\u{1b}[0m');
});

test('lists take commas and repetition', () => {
  expect(collect(' b,, c', collect('a'))).toEqual(['a', 'b', 'c']);
});

test.each([
  ['127.0.0.1', undefined, undefined],
  ['localhost', undefined, undefined],
  ['::1', undefined, undefined],
  ['0.0.0.0', ['t'], undefined],
  ['0.0.0.0', undefined, /^warning: .*0\.0\.0\.0/],
  ['127.example.com', undefined, /^warning/],
])('a server on %s with the tokens %o gets the warning %o', (host, writeToken, warning) => {
  const said = openWarning({ host, writeToken });
  if (warning === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(warning);
});
