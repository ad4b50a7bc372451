/** The wire format: what is encoded comes back, and whatever is malformed says where. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FlagError, Result } from '../../src/core/errors.ts';
import { readFlags } from '../../src/core/protocol/decode-flag.ts';
import { LIMITS } from '../../src/core/protocol/limits.ts';
import {
  decodeChanges,
  decodeMessage,
  decodeSnapshot,
  type EventFrame,
  encodeChanges,
  encodeMessage,
  encodeSnapshot,
  type Message,
} from '../../src/core/protocol/messages.ts';
import { attempt } from '../../src/core/protocol/read.ts';
import { arbChange, arbMessage, arbSnapshot } from '../kit/arbitraries.ts';
import { buildFlag } from '../kit/flags.ts';

test('every message comes back from its frame', () => {
  fc.assert(
    fc.property(arbMessage, (message) => {
      expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, value: message });
    }),
    { numRuns: 500 },
  );
});

test('a snapshot and a log of changes come back from their text', () => {
  fc.assert(
    fc.property(arbSnapshot, (snapshot) => {
      expect(decodeSnapshot(encodeSnapshot(snapshot))).toEqual({ ok: true, value: snapshot });
    }),
  );
  fc.assert(
    fc.property(fc.array(arbChange, { maxLength: 3 }), (changes) => {
      const ofOneEpoch = changes.map((change) => ({ ...change, epoch: 'e' }));
      expect(decodeChanges(encodeChanges(ofOneEpoch), 'e')).toEqual({ ok: true, value: ofOneEpoch });
    }),
  );
});

test('no frame makes a decoder throw', () => {
  const arbEvent = fc.constantFrom('snapshot', 'batch', 'bye', 'flag_updated', 'flag_deleted', 'news');
  const arbId = fc.oneof(fc.constantFrom('e.1', 'e.', undefined), fc.string());
  const arbData = fc.oneof(fc.json(), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(arbEvent, arbId, arbData, (event, id, data) => {
      for (const result of [
        decodeMessage({ event, id, data }),
        decodeSnapshot(data),
        decodeChanges(data, 'e'),
      ]) {
        expect(result).toHaveProperty('ok');
      }
    }),
    { numRuns: 1_000 },
  );
});

const FLAG = {
  ...buildFlag('f', { id: 7, dependsOn: ['g'], tags: [{ id: 1, value: 'web' }] }),
  segments: [
    {
      id: 1,
      description: '',
      rank: 1,
      rolloutPercent: 100,
      constraints: [{ id: 1, property: 'p', operator: 'EQ', value: 'v' }],
      distributions: [{ id: 1, variantID: 70, variantKey: 'on', percent: 100 }],
    },
  ],
  variants: [{ id: 70, key: 'on', attachment: { colour: 'red' } }],
};

const CHANGE = { type: 'FLAG_UPDATED', flagID: 7, flagKey: 'f', revision: 3, timestampMs: 1, data: FLAG };

/** A well-formed frame of each kind; the tables below break one field at a time. */
const WELL_FORMED: Readonly<Record<string, { readonly id: string; readonly json: object }>> = {
  flag_updated: { id: 'e.3', json: CHANGE },
  snapshot: { id: 'e.3', json: { type: 'SNAPSHOT', epoch: 'e', revision: 3, timestampMs: 1, flags: [FLAG] } },
  batch: { id: 'e.3', json: { type: 'BATCH', changes: [CHANGE] } },
  bye: { id: '', json: { type: 'BYE', retryAfterMs: 5, reason: 'drain' } },
};

/** The frame with the value at `path` (`data.segments[0].id`) replaced; `undefined` leaves the field out. */
function broken(event: string, path: string, value: unknown): EventFrame {
  const { id, json } = WELL_FORMED[event] ?? { id: '', json: {} };
  const copy = structuredClone(json);
  const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
  const last = steps.pop() ?? '';
  let inner = copy as Record<string, unknown>;
  for (const step of steps) inner = inner[step] as Record<string, unknown>;
  inner[last] = value;
  return { event, id, data: JSON.stringify(copy) };
}

function errorOf(result: Result<unknown>): Pick<FlagError, 'code' | 'path'> | undefined {
  return result.ok ? undefined : { code: result.error.code, path: result.error.path };
}

test.each(Object.keys(WELL_FORMED))('the frame %s of the tables is well-formed itself', (event) => {
  const { id, json } = WELL_FORMED[event] ?? { id: '', json: {} };
  expect(errorOf(decodeMessage({ event, id, data: JSON.stringify(json) }))).toBeUndefined();
});

test.each<[event: string, path: string, value: unknown]>([
  ['flag_updated', 'type', 'FLAG_CREATED'],
  ['flag_updated', 'type', undefined],
  ['flag_updated', 'revision', 4],
  ['flag_updated', 'revision', '3'],
  ['flag_updated', 'flagID', -1],
  ['flag_updated', 'flagID', 1.5],
  ['flag_updated', 'flagKey', ''],
  ['flag_updated', 'flagKey', undefined],
  ['flag_updated', 'timestampMs', 'now'],
  ['flag_updated', 'segmentID', '1'],
  ['flag_updated', 'data', null],
  ['flag_updated', 'data', 'f'],
  ['flag_updated', 'data', []],
  ['flag_updated', 'data.id', undefined],
  ['flag_updated', 'data.id', 2 ** 53],
  ['flag_updated', 'data.key', 'g'],
  ['flag_updated', 'data.key', 'k'.repeat(LIMITS.keyLength + 1)],
  ['flag_updated', 'data.description', 5],
  ['flag_updated', 'data.enabled', 'yes'],
  ['flag_updated', 'data.enabled', undefined],
  ['flag_updated', 'data.snapshotID', 0.5],
  ['flag_updated', 'data.dataRecordsEnabled', 1],
  ['flag_updated', 'data.entityType', {}],
  ['flag_updated', 'data.dependsOn', 'g'],
  ['flag_updated', 'data.dependsOn[0]', 5],
  ['flag_updated', 'data.updatedAt', 5],
  ['flag_updated', 'data.segments', {}],
  ['flag_updated', 'data.segments[0]', null],
  ['flag_updated', 'data.segments[0].id', '1'],
  ['flag_updated', 'data.segments[0].description', []],
  ['flag_updated', 'data.segments[0].rank', '1'],
  ['flag_updated', 'data.segments[0].rolloutPercent', undefined],
  ['flag_updated', 'data.segments[0].constraints', 'none'],
  ['flag_updated', 'data.segments[0].constraints[0].id', -1],
  ['flag_updated', 'data.segments[0].constraints[0].property', 5],
  ['flag_updated', 'data.segments[0].constraints[0].operator', undefined],
  ['flag_updated', 'data.segments[0].constraints[0].value', 18],
  ['flag_updated', 'data.segments[0].distributions[0].id', 'x'],
  ['flag_updated', 'data.segments[0].distributions[0].variantID', undefined],
  ['flag_updated', 'data.segments[0].distributions[0].variantKey', 5],
  ['flag_updated', 'data.segments[0].distributions[0].percent', '100'],
  ['flag_updated', 'data.variants[0]', 'on'],
  ['flag_updated', 'data.variants[0].id', undefined],
  ['flag_updated', 'data.variants[0].key', ''],
  ['flag_updated', 'data.variants[0].attachment', 'red'],
  ['flag_updated', 'data.variants[0].attachment.colour', 5],
  ['flag_updated', 'data.tags[0]', ''],
  ['flag_updated', 'data.tags[0].id', 'x'],
  ['flag_updated', 'data.tags[0].value', ''],
  ['snapshot', 'revision', 4],
  ['snapshot', 'timestampMs', '1'],
  ['snapshot', 'flags', undefined],
  ['snapshot', 'flags', {}],
  ['snapshot', 'flags[0].enabled', null],
  ['batch', 'changes', []],
  ['batch', 'changes', undefined],
  ['batch', 'changes', {}],
  ['batch', 'changes[0]', 'x'],
  ['batch', 'changes[0].type', 'NEWS'],
  ['batch', 'changes[0].revision', undefined],
  ['batch', 'changes[0].data.enabled', 0],
  ['bye', 'retryAfterMs', -1],
  ['bye', 'reason', 5],
])('%s with a bad %s (%j) names that path', (event, path, value) => {
  expect(errorOf(decodeMessage(broken(event, path, value)))).toEqual({
    code: 'invalid_data',
    path: `${event}.${path}`,
  });
});

test.each([
  ['flag_updated', ''],
  ['flag_updated', 'e'],
  ['flag_updated', 'e.01'],
  ['flag_updated', 'e.-1'],
  ['flag_updated', 'e x.1'],
  ['flag_updated', `${'e'.repeat(65)}.1`],
  ['flag_updated', 'e.9007199254740993'],
  ['snapshot', undefined],
  ['batch', 'e.3 '],
])('%s with the event id %j names the id', (event, id) => {
  const frame = broken(event, 'type', CHANGE.type);
  expect(errorOf(decodeMessage({ ...frame, id }))).toEqual({ code: 'invalid_data', path: `${event}.id` });
});

test.each(['', '{', 'null', '[]', '5', '"f"'])('data that is no JSON object (%s) names the event', (data) => {
  const frame = { event: 'flag_updated', id: 'e.3', data };
  expect(errorOf(decodeMessage(frame))).toEqual({ code: 'invalid_data', path: 'flag_updated' });
});

test('a batch must end at the revision of its event id', () => {
  const frame = { ...broken('batch', 'type', 'BATCH'), id: 'e.4' };
  expect(errorOf(decodeMessage(frame))).toEqual({ code: 'invalid_data', path: 'batch.changes' });
});

test('an empty batch cannot be encoded', () => {
  expect(() => encodeMessage({ kind: 'batch', changes: [] })).toThrow('at least one change');
});

test('an event type that is not known is kept as unknown, whatever its data', () => {
  for (const event of ['flag_renamed', 'SNAPSHOT', 'toString', '__proto__', '']) {
    expect(decodeMessage({ event, id: undefined, data: '{' })).toEqual({
      ok: true,
      value: { kind: 'unknown', type: event } satisfies Message,
    });
  }
});

test('fields that are not known are left out', () => {
  const frame = broken('flag_updated', 'data.notes', 'secret');
  const result = decodeMessage(frame);
  expect(result.ok && JSON.stringify(result.value)).not.toContain('secret');
});

test('fields that Flagent leaves out or spells otherwise get their value', () => {
  const [flag] = readFlags(
    [
      {
        id: 1,
        key: 'f',
        enabled: true,
        snapshotId: 4,
        segments: [{ id: 1, rolloutPercent: 5, distributions: [{ variantId: 2, percent: 100 }] }],
        tags: ['web'],
      },
    ],
    'flags',
  );
  expect(flag).toMatchObject({ snapshotID: 4, variants: [], dependsOn: [], entityType: null });
  expect(flag?.segments[0]).toMatchObject({ rank: 999, constraints: [], distributions: [{ variantID: 2 }] });
  expect(flag?.tags).toEqual([{ id: 0, value: 'web' }]);
});

test.each(['key', 'id'] as const)('two flags with the same %s are refused', (field) => {
  const second = { ...buildFlag('second', { id: 2 }), [field]: buildFlag('first')[field] };
  const result = attempt(() => readFlags([buildFlag('first'), second], 'flags'));
  expect(errorOf(result)).toEqual({ code: 'invalid_data', path: `flags[1].${field}` });
});

test('names of built-in properties are names like any other, and reach no prototype', () => {
  const data = `{"type":"FLAG_UPDATED","flagID":7,"flagKey":"__proto__","revision":3,"__proto__":{"polluted":1},
    "data":{"id":7,"key":"__proto__","enabled":true,"variants":[{"id":1,"key":"constructor",
    "attachment":{"__proto__":"x","constructor":"y"}}]}}`;
  const result = decodeMessage({ event: 'flag_updated', id: 'e.3', data });
  const change = result.ok && result.value.kind === 'change' ? result.value.change : undefined;
  const attachment = change?.flag?.variants[0]?.attachment;
  expect(change?.flagKey).toBe('__proto__');
  expect(Object.entries(attachment ?? {})).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  expect({}).not.toHaveProperty('polluted');
});

test('data over the length limit is too large, without being parsed', () => {
  const frame = { event: 'snapshot', id: 'e.1', data: '{'.padEnd(LIMITS.eventLength + 1) };
  expect(errorOf(decodeMessage(frame))).toEqual({ code: 'too_large', path: 'snapshot' });
  expect(errorOf(decodeSnapshot(frame.data))).toEqual({ code: 'too_large', path: 'snapshot' });
});

test('too many flags and too many changes are too large', () => {
  const flags = Array.from({ length: LIMITS.flags + 1 }, () => null);
  expect(errorOf(attempt(() => readFlags(flags, 'flags')))).toEqual({ code: 'too_large', path: 'flags' });
  const changes = Array.from({ length: LIMITS.batchChanges + 1 }, () => 0);
  const frame = broken('batch', 'changes', changes);
  expect(errorOf(decodeMessage(frame))).toEqual({ code: 'too_large', path: 'batch.changes' });
});

test.each([
  ['epoch', '{"revision":1,"flags":[]}'],
  ['epoch', '{"epoch":"a b","revision":1,"flags":[]}'],
  ['epoch', '{"epoch":{"toString":1,"valueOf":1},"revision":1,"flags":[]}'],
  ['revision', '{"epoch":"a","revision":"1","flags":[]}'],
  ['flags', '{"epoch":"a","revision":1}'],
])('a snapshot with a bad %s (%s) names that path', (field, text) => {
  expect(errorOf(decodeSnapshot(text))).toEqual({ code: 'invalid_data', path: `snapshot.${field}` });
});

test('a value nested deeper than the stack is refused like any other', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const data = `{"type":"FLAG_UPDATED","revision":3,"flagKey":${deep}}`;
  const result = decodeMessage({ event: 'flag_updated', id: 'e.3', data });
  expect(errorOf(result)).toEqual({ code: 'invalid_data', path: 'flag_updated.flagKey' });
});
