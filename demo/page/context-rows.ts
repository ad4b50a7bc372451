/** The entity's context as rows of property and value, which can be added and removed. */
import { button, element, showChildren, textInput } from './element.ts';
import type { ContextRow } from './question.ts';

export interface ContextRows {
  readonly root: HTMLElement;
  read(): readonly ContextRow[];
  write(rows: readonly ContextRow[]): void;
  /** Properties that are offered while one types. */
  suggest(properties: readonly string[]): void;
}

const SUGGESTED = 'known-properties';

/** `onInput` hears of every keystroke and of rows that come and go. */
export function createContextRows(onInput: () => void): ContextRows {
  const list = element('ul', { class: 'context' });
  const suggested = element('datalist', { id: SUGGESTED });
  const add = button(
    'Add property',
    () => {
      const row = createRow({ property: '', value: '' });
      list.append(row);
      inputsOf(row)[0]?.focus();
    },
    { class: 'quiet small' },
  );
  const root = element('div', { role: 'group', 'aria-label': 'Context' }, list, suggested, add);

  function createRow({ property, value }: ContextRow): HTMLElement {
    const name = textInput({ 'aria-label': 'Property', placeholder: 'property', list: SUGGESTED });
    const content = textInput({ placeholder: 'value' });
    const remove = button('×', () => removeRow(row), { class: 'quiet remove' });
    const row = element('li', {}, name, content, remove);
    name.value = property;
    content.value = value;
    const label = (): void => {
      content.setAttribute('aria-label', `Value of ${name.value || 'the property'}`);
      remove.setAttribute('aria-label', `Remove ${name.value || 'the property'}`);
    };
    label();
    row.addEventListener('input', () => {
      label();
      onInput();
    });
    return row;
  }

  /** Whoever removes rows by keyboard goes on with the next one. */
  function removeRow(row: HTMLElement): void {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (next?.querySelector('button') ?? add).focus();
    onInput();
  }

  return {
    root,
    read: () =>
      [...list.children].map((row) => {
        const [property, value] = inputsOf(row);
        return { property: property?.value ?? '', value: value?.value ?? '' };
      }),
    write: (rows) => list.replaceChildren(...rows.map(createRow)),
    suggest: (properties) =>
      showChildren(suggested, ...properties.map((value) => element('option', { value }))),
  };
}

function inputsOf(row: Element): readonly HTMLInputElement[] {
  return [...row.querySelectorAll('input')];
}
