/** Where one says as whom: somebody prepared, or any id, type and context. */
import { createContextRows } from './context-rows.ts';
import { button, element, textInput } from './element.ts';
import type { Whom } from './question.ts';
import { randomEntityID, VISITORS } from './visitors.ts';

export interface WhomForm {
  readonly root: HTMLElement;
  /** Properties that the flags ask for. */
  suggest(properties: readonly string[]): void;
}

/** `onInput` hears of every keystroke. */
export function createWhomForm(whom: Whom, onInput: (whom: Whom) => void): WhomForm {
  const entityID = textInput({ placeholder: 'none' });
  const entityType = textInput({ placeholder: "the flag's own" });
  const rows = createContextRows(tell);
  const visitors = VISITORS.map((visitor) => ({
    ...visitor,
    button: button(visitor.name, () => choose(visitor.whom), { class: 'small' }),
  }));
  const die = button('⚄', roll, {
    class: 'die',
    'aria-label': 'Random entity id',
    title: 'Random entity id',
  });
  for (const input of [entityID, entityType]) input.addEventListener('input', tell);

  function read(): Whom {
    return { entityID: entityID.value, entityType: entityType.value, context: rows.read() };
  }

  function write(next: Whom): void {
    entityID.value = next.entityID;
    entityType.value = next.entityType;
    rows.write(next.context);
    mark(next);
  }

  function choose(next: Whom): void {
    write(next);
    onInput(next);
  }

  function roll(): void {
    entityID.value = randomEntityID();
    die.textContent = DIE_FACES.charAt(Math.floor(Math.random() * DIE_FACES.length));
    tell();
  }

  function tell(): void {
    const next = read();
    mark(next);
    onInput(next);
  }

  function mark(next: Whom): void {
    const text = JSON.stringify(next);
    for (const { button: press, whom: theirs } of visitors)
      press.setAttribute('aria-pressed', String(JSON.stringify(theirs) === text));
  }

  write(whom);
  return {
    root: element(
      'div',
      { class: 'whom-form', role: 'group', 'aria-label': 'As whom' },
      element('div', { class: 'visitors' }, ...visitors.map(({ button: press }) => press)),
      element(
        'div',
        { class: 'entity' },
        element('label', {}, element('span', {}, 'Entity id'), entityID),
        die,
        element('label', {}, element('span', {}, 'Entity type'), entityType),
      ),
      rows.root,
    ),
    suggest: rows.suggest,
  };
}

const DIE_FACES = '⚀⚁⚂⚃⚄⚅';
