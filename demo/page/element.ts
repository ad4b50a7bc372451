/** One way to make an element: tag, attributes, children. Text is always text, never HTML. */

type Child = Node | string | undefined;
type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** `true` sets an attribute without a value; `false` and `undefined` leave it out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

export function button(label: string, onPress: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', onPress);
  return made;
}

/** For names and ids: what browsers do to prose is wrong here. */
export function textInput(attributes: Attributes): HTMLInputElement {
  return element('input', {
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    ...attributes,
  });
}

/** A place in `index.html`. */
export function place(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no element with the id ${id}.`);
  return found;
}

/** Writes only what differs, so that screen readers and selections are left in peace. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Puts the children in place of those there are, if they differ: so that focus and selections are left in peace. */
export function showChildren(target: Element, ...children: readonly Node[]): void {
  const isSame =
    target.childNodes.length === children.length &&
    children.every((child, index) => target.childNodes[index]?.isEqualNode(child));
  if (!isSame) target.replaceChildren(...children);
}
