/** The attachment of the variant that was chosen, each text through the typed getter that takes it. */
import { type EvaluationResult, readAttachment } from 'flagent-offline';
import { element } from './element.ts';

export function attachmentList(result: EvaluationResult): HTMLElement {
  const names = Object.keys(result.variantAttachment ?? {});
  if (names.length === 0) return element('p', { class: 'hint' }, sayNothing(result));
  return element('dl', { class: 'attachment' }, ...names.flatMap((name) => entryOf(result, name)));
}

/** What a getter says itself: asked for any name, it gives its default and this reason. */
function sayNothing(result: EvaluationResult): string {
  const { reason } = readAttachment(result).string('any', '');
  return reason === 'NO_VARIANT'
    ? 'There is no variant: every getter gives its default (NO_VARIANT).'
    : 'The variant has none: every getter gives its default (MISSING).';
}

function entryOf(result: EvaluationResult, name: string): HTMLElement[] {
  const { getter, value } = readNarrowly(result, name);
  return [
    element('dt', {}, element('code', {}, name), ' ', element('small', {}, getter)),
    element('dd', {}, element('code', {}, value)),
  ];
}

interface ReadValue {
  readonly getter: 'number' | 'boolean' | 'json' | 'string';
  readonly value: string;
}

/** By the first getter that does not say `WRONG_TYPE`; `string` takes every text. */
function readNarrowly(result: EvaluationResult, name: string): ReadValue {
  const reader = readAttachment(result);
  const number = reader.number(name, 0);
  if (number.reason === 'FOUND') return { getter: 'number', value: String(number.value) };
  const boolean = reader.boolean(name, false);
  if (boolean.reason === 'FOUND') return { getter: 'boolean', value: String(boolean.value) };
  const json = reader.json(name, {}, isStructure);
  if (json.reason === 'FOUND') return { getter: 'json', value: JSON.stringify(json.value) };
  return { getter: 'string', value: reader.string(name, '').value };
}

function isStructure(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
