/** Frames in both directions: what is said comes out as it was meant, and what makes no sense is refused with the place of the fault. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EvaluationResult } from '../../src/core/evaluate/evaluation.ts';
import { encodeMessage } from '../../src/core/protocol/messages.ts';
import {
  type ClientFrame,
  decodeClientFrame,
  encodeClientFrame,
} from '../../src/core/protocol/websocket-client-frame.ts';
import {
  type Answer,
  decodeServerFrame,
  encodeAnswer,
  encodeWebSocketEvent,
  encodeWebSocketPosition,
} from '../../src/core/protocol/websocket-server-frame.ts';
import { arbMessage } from '../kit/arbitraries.ts';

const ask = (frame: unknown) => decodeClientFrame(JSON.stringify(frame));
const heard = (frame: unknown) => decodeServerFrame(JSON.stringify(frame));

const RESULT: EvaluationResult = {
  flagID: 1,
  flagKey: 'a',
  flagSnapshotID: 2,
  segmentID: 3,
  variantID: 4,
  variantKey: 'on',
  variantAttachment: { colour: 'red' },
  reason: 'MATCH',
  entityID: 'u',
  entityType: '',
};

test.each<ClientFrame>([
  { kind: 'subscribe', id: 's', filter: undefined, after: undefined },
  { kind: 'subscribe', id: 's', filter: { tags: ['web'] }, after: { epoch: 'e', revision: 7 } },
  {
    kind: 'subscribe',
    id: 's',
    filter: { flagKeys: ['a'], flagIDs: [1], tags: ['b'], segmentsOf: ['c'] },
    after: undefined,
  },
  { kind: 'unsubscribe', id: 's' },
  { kind: 'evaluate', id: 'q', question: { flagKey: 'a' } },
  {
    kind: 'evaluate',
    id: 'q',
    question: { flagKey: 'a', entityID: 'u', entityType: 't', entityContext: { age: 3, ok: true, no: null } },
  },
  { kind: 'ping' },
])('what a client says arrives as it was meant: %j', (frame) => {
  expect(decodeClientFrame(encodeClientFrame(frame))).toEqual({ ok: true, frame });
});

test.each<Answer>([
  { kind: 'subscribed', id: 's' },
  { kind: 'evaluation_result', id: 'q', result: RESULT },
  {
    kind: 'evaluation_result',
    id: 'q',
    result: {
      ...RESULT,
      segmentID: null,
      variantID: null,
      variantKey: null,
      variantAttachment: null,
      reason: 'FLAG_NOT_FOUND',
    },
  },
  { kind: 'error', id: 's', code: 'too_large', message: 'Less.' },
  { kind: 'error', id: undefined, code: 'invalid_data', message: 'What?' },
  { kind: 'pong' },
])('what a server answers arrives as it was meant: %j', (answer) => {
  expect(decodeServerFrame(encodeAnswer(answer))).toEqual({ ok: true, value: answer });
});

test('every message of a stream arrives as it was meant, and so does its position', () => {
  fc.assert(
    fc.property(arbMessage, (message) => {
      const frame = encodeWebSocketEvent(encodeMessage(message));
      expect(decodeServerFrame(frame)).toEqual({ ok: true, value: { kind: 'message', message } });
    }),
  );
  const at = { epoch: 'e', revision: 3 };
  expect(decodeServerFrame(encodeWebSocketPosition(at))).toEqual({
    ok: true,
    value: { kind: 'position', at },
  });
});

test('an event has the data that it has as a server-sent event', () => {
  const frame = JSON.parse(encodeWebSocketEvent({ event: 'flag_updated', id: 'e.5', data: '{"a":1}' }));
  expect(frame).toEqual({ type: 'flag_updated', eventId: 'e.5', data: { a: 1 } });
});

test('names are sorted and each once, so that the same wish has the same name', () => {
  expect(ask({ type: 'subscribe', id: 's', tags: ['b', 'a', 'b'], flagIDs: [2, 1, 2] })).toMatchObject({
    frame: { filter: { tags: ['a', 'b'], flagIDs: [1, 2] } },
  });
});

test('all wins over names, and an event id that is none means nothing is held', () => {
  const frame = ask({ type: 'subscribe', id: 's', all: true, tags: ['a'], lastEventId: 'yesterday' });
  expect(frame).toMatchObject({ frame: { filter: undefined, after: undefined } });
});

const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

test.each<[unknown, string | undefined, string, RegExp]>([
  [5, undefined, 'invalid_data', /^The frame must be an object, but is 5/],
  [[], undefined, 'invalid_data', /^The frame must be an object, but is a list/],
  [{}, undefined, 'invalid_data', /^type must be a string, but is missing/],
  [{ type: 'shout', id: 'x' }, 'x', 'invalid_data', /^type must be subscribe, .* but is "shout"/],
  [{ type: 'constructor' }, undefined, 'invalid_data', /^type must be subscribe/],
  [{ type: 'subscribe', all: true }, undefined, 'invalid_data', /^subscribe\.id must be a string/],
  [{ type: 'subscribe', id: '', all: true }, undefined, 'invalid_data', /^subscribe\.id must be/],
  [{ type: 'subscribe', id: 'x'.repeat(65), all: true }, undefined, 'invalid_data', /^subscribe\.id must be/],
  [{ type: 'subscribe', id: 's' }, 's', 'invalid_data', /^subscribe must name something/],
  [
    { type: 'subscribe', id: 's', tags: [], all: false },
    's',
    'invalid_data',
    /^subscribe must name something/,
  ],
  [{ type: 'subscribe', id: 's', all: 'yes' }, 's', 'invalid_data', /^subscribe\.all must be true or false/],
  [{ type: 'subscribe', id: 's', tags: 'web' }, 's', 'invalid_data', /^subscribe\.tags must be a list/],
  [{ type: 'subscribe', id: 's', tags: [''] }, 's', 'invalid_data', /^subscribe\.tags\[0\] must be/],
  [{ type: 'subscribe', id: 's', flagIDs: ['1'] }, 's', 'invalid_data', /^subscribe\.flagIDs\[0\] must be/],
  [
    { type: 'subscribe', id: 's', tags: ['a'], lastEventId: 7 },
    's',
    'invalid_data',
    /^subscribe\.lastEventId/,
  ],
  [{ type: 'subscribe', id: 's', tags: names(1001) }, 's', 'too_large', /1001 items; the limit is 1000/],
  [
    { type: 'subscribe', id: 's', tags: names(600), flagKeys: names(600) },
    's',
    'too_large',
    /1200 names; the limit is 1000/,
  ],
  [{ type: 'unsubscribe' }, undefined, 'invalid_data', /^unsubscribe\.id/],
  [{ type: 'evaluate', flagKey: 'a' }, undefined, 'invalid_data', /^evaluate\.id/],
  [{ type: 'evaluate', id: 'q' }, 'q', 'invalid_data', /^evaluate\.flagKey must be/],
  [{ type: 'evaluate', id: 'q', flagKey: 'a', entityID: 7 }, 'q', 'invalid_data', /^evaluate\.entityID/],
  [
    { type: 'evaluate', id: 'q', flagKey: 'a', entityContext: [] },
    'q',
    'invalid_data',
    /^evaluate\.entityContext/,
  ],
  [
    { type: 'evaluate', id: 'q', flagKey: 'a', entityContext: { a: 'b', deep: { c: 1 } } },
    'q',
    'invalid_data',
    /^evaluate\.entityContext\.deep must be a string, number, boolean or null, but is an object/,
  ],
])('%j is refused where it is wrong', (frame, id, code, message) => {
  const decoded = ask(frame);
  expect(decoded).toMatchObject({ ok: false, id, isJson: true, error: { code } });
  expect(decoded).toHaveProperty('error.message', expect.stringMatching(message));
});

test('text that is not JSON is told from a frame that is wrong', () => {
  expect(decodeClientFrame('nonsense')).toMatchObject({ ok: false, isJson: false, id: undefined });
});

test('the names that every object has are names like any other', () => {
  const text =
    '{"type":"evaluate","id":"__proto__","flagKey":"constructor","entityContext":{"__proto__":"x"}}';
  const decoded = decodeClientFrame(text);
  expect(decoded).toMatchObject({
    ok: true,
    frame: { id: '__proto__', question: { flagKey: 'constructor' } },
  });
  const context =
    decoded.ok && decoded.frame.kind === 'evaluate' ? decoded.frame.question.entityContext : undefined;
  expect(Object.entries(context ?? {})).toEqual([['__proto__', 'x']]);
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});

test('no text throws, on either side', () => {
  const anyText = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((json) => JSON.stringify(json)),
  );
  const typed = fc
    .record({
      type: fc.constantFrom('subscribe', 'unsubscribe', 'evaluate', 'ping', 'snapshot', 'batch', 'error'),
      rest: fc.dictionary(fc.constantFrom('id', 'tags', 'all', 'flagKey', 'data', 'eventId'), fc.jsonValue()),
    })
    .map(({ type, rest }) => JSON.stringify({ ...rest, type }));
  fc.assert(
    fc.property(fc.oneof(anyText, typed), (text) => {
      decodeClientFrame(text);
      decodeServerFrame(text);
    }),
  );
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  decodeClientFrame(deep);
  decodeClientFrame(`{"type":"evaluate","id":"q","flagKey":"a","entityContext":${deep}}`);
});

test.each<[unknown, RegExp]>([
  [{ type: 'snapshot', data: {} }, /^snapshot\.id must be an event id/],
  [{ type: 'snapshot', eventId: 'e.1' }, /^snapshot\.data must be an object/],
  [{ type: 'snapshot', eventId: 7, data: {} }, /^snapshot\.eventId must be a string/],
  [{ type: 'position' }, /^position\.eventId/],
  [{ type: 'position', eventId: 'x' }, /^position\.eventId must be an event id/],
  [{ type: 'subscribed' }, /^subscribed\.id/],
  [{ type: 'error', code: 'closed' }, /^error\.message/],
  [{ ...RESULT, type: 'evaluation_result' }, /^evaluation_result\.id/],
  [
    { ...RESULT, type: 'evaluation_result', id: 'q', reason: 'LUCK' },
    /^evaluation_result\.reason must be one of MATCH/,
  ],
  [{ ...RESULT, type: 'evaluation_result', id: 'q', variantID: '1' }, /^evaluation_result\.variantID/],
  [
    { ...RESULT, type: 'evaluation_result', id: 'q', variantAttachment: { a: 1 } },
    /^evaluation_result\.variantAttachment\.a must be a string/,
  ],
])('a client refuses %j where it is wrong', (frame, message) => {
  const decoded = heard(frame);
  expect(decoded).toMatchObject({ ok: false, error: { code: 'invalid_data' } });
  expect(decoded).toHaveProperty('error.message', expect.stringMatching(message));
});

test('a type, a field or a code from a newer server is no error', () => {
  expect(heard({ type: 'weather', data: 5 })).toEqual({
    ok: true,
    value: { kind: 'message', message: { kind: 'unknown', type: 'weather' } },
  });
  expect(heard({ type: 'pong', eventId: 'e.1' })).toEqual({ ok: true, value: { kind: 'pong' } });
  expect(heard({ type: 'error', code: 'teapot', message: 'Short and stout.' })).toMatchObject({
    ok: true,
    value: { code: 'unreachable', message: 'Short and stout.' },
  });
});

test('an event over the limit is refused, one at the limit is not', () => {
  const frameOf = (length: number) => `{"type":"weather","data":"${'x'.repeat(length)}"}`;
  expect(decodeServerFrame(frameOf(10_000), 10_000)).toMatchObject({ ok: true });
  expect(decodeServerFrame(frameOf(11_000), 10_000)).toMatchObject({
    ok: false,
    error: { code: 'too_large' },
  });
});
