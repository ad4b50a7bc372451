/** Attachments are texts; the getters read them as what they stand for, or give the default and say why. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AttachmentReader, readAttachment } from '../../src/core/evaluate/attachment.ts';

function holding(text: string): AttachmentReader {
  return readAttachment({ variantID: 1, variantAttachment: { x: text } });
}

test.each([
  ['0', 0],
  ['-1.5', -1.5],
  ['1e6', 1_000_000],
  [' 7 ', 7],
])('%j is the number %d', (text, value) => {
  expect(holding(text).number('x', 99)).toEqual({ value, reason: 'FOUND', text });
});

test.each(['', ' ', '1,5', '0x10', 'NaN', 'Infinity', '1e400', '"1"', 'null', 'true', '١'])(
  '%j is no number',
  (text) => {
    expect(holding(text).number('x', 99)).toEqual({ value: 99, reason: 'WRONG_TYPE', text });
  },
);

test.each([
  ['true', true],
  ['false', false],
])('%j is a boolean', (text, value) => {
  expect(holding(text).boolean('x', !value)).toEqual({ value, reason: 'FOUND', text });
});

test.each(['', 'TRUE', 'yes', '1', '0', '"true"'])('%j is no boolean', (text) => {
  expect(holding(text).boolean('x', true)).toEqual({ value: true, reason: 'WRONG_TYPE', text });
});

test('every text is a string, the empty one too', () => {
  expect(holding('').string('x', 'other')).toEqual({ value: '', reason: 'FOUND', text: '' });
});

const isList = (value: unknown): value is number[] => Array.isArray(value);

test('JSON is taken when the check says that it is what is wanted', () => {
  expect(holding('[1, 2]').json('x', [], isList)).toEqual({ value: [1, 2], reason: 'FOUND', text: '[1, 2]' });
  expect(holding('{}').json('x', [0], isList)).toEqual({ value: [0], reason: 'WRONG_TYPE', text: '{}' });
  expect(holding('[1').json('x', [0], isList)).toEqual({ value: [0], reason: 'WRONG_TYPE', text: '[1' });
});

test('a check that throws has not said yes', () => {
  const isNamed = (value: unknown): value is { name: string } => (value as { name: string }).name !== '';
  expect(holding('null').json('x', { name: 'a' }, isNamed).reason).toBe('WRONG_TYPE');
});

test.each(['y', 'constructor', '__proto__', 'toString'])('the name %j is missing', (name) => {
  expect(holding('1').string(name, 'other')).toEqual({ value: 'other', reason: 'MISSING' });
});

test('a variant without an attachment has nothing of any name', () => {
  const reader: AttachmentReader = readAttachment({ variantID: 1, variantAttachment: null });
  expect(reader.number('x', 5)).toEqual({ value: 5, reason: 'MISSING' });
});

test('without a variant there is no attachment', () => {
  const reader: AttachmentReader = readAttachment({ variantID: null, variantAttachment: null });
  expect(reader.boolean('x', true)).toEqual({ value: true, reason: 'NO_VARIANT' });
});

test('whatever the text, a getter gives the default unless it has found what was asked for', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
      const reader = holding(text);
      const number = reader.number('x', 99);
      expect(Number.isFinite(number.value)).toBe(true);
      if (number.reason !== 'FOUND') expect(number.value).toBe(99);
      expect(typeof reader.boolean('x', false).value).toBe('boolean');
      expect(isList(reader.json('x', [], isList).value)).toBe(true);
      expect(reader.string('x', 'other').value).toBe(text);
    }),
    { numRuns: 1_000 },
  );
});
