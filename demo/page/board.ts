/** All flags as cards, found by words and shown as one visitor gets them. It asks the client of the moment and keeps no flags of its own. */
import type { Flag, FlagChange, FlagClient } from 'flagent-offline';
import { element, setText } from './element.ts';
import { createFlagCard, type FlagCard } from './flag-card.ts';
import { chooseVisitor, chosenVisitor, VISITORS } from './visitors.ts';
import { setFlagEnabled } from './world.ts';

export interface Board {
  /** All cards anew from what the client holds. */
  show(): void;
  /** The same soon, and marks the card of the changed flag. */
  showChange(change: FlagChange): void;
}

/** `onRefused` hears of an edit that the demo's server did not take. */
export function createBoard(
  container: HTMLElement,
  current: { readonly now: FlagClient },
  onRefused: (flag: Flag) => void,
): Board {
  const cards = new Map<string, FlagCard>();
  const changedKeys = new Set<string>();
  const grid = element('div', { class: 'grid' });
  const count = element('output', { class: 'count' });
  const words = element('input', {
    type: 'search',
    placeholder: 'Find by name or tag',
    'aria-label': 'Find flags',
  });
  const empty = element('p', { class: 'empty' }, 'No flags yet. They come with the first connection.');
  const visitors = element(
    'select',
    { 'aria-label': 'Visitor' },
    ...VISITORS.map(({ name, entity }) => element('option', { value: entity.entityID }, name)),
  );
  visitors.value = chosenVisitor().entity.entityID;
  words.addEventListener('input', showFound);
  visitors.addEventListener('change', () => {
    chooseVisitor(visitors.value);
    show();
  });
  container.append(
    element(
      'div',
      { class: 'toolbar' },
      element('h2', {}, 'Flags'),
      count,
      words,
      element('label', {}, element('span', {}, 'as seen by'), visitors),
    ),
    empty,
    grid,
  );

  function show(): void {
    const flags = [...current.now.peekFlags().values()].sort((a, b) => a.id - b.id);
    for (const [key, card] of cards) {
      if (current.now.peekFlag(key) !== undefined) continue;
      card.root.remove();
      cards.delete(key);
    }
    flags.forEach((flag, position) => {
      showFlag(flag, position);
    });
    empty.hidden = flags.length > 0;
    showFound();
  }

  function showFlag(flag: Flag, position: number): void {
    const card = cards.get(flag.key) ?? createFlagCard(flag, toggle);
    cards.set(flag.key, card);
    card.show(flag, current.now.evaluateNow({ flagKey: flag.key, ...chosenVisitor().entity }));
    if (grid.children[position] !== card.root) grid.insertBefore(card.root, grid.children[position] ?? null);
  }

  function showFound(): void {
    const wanted = words.value.trim().toLowerCase();
    let found = 0;
    for (const [key, card] of cards) {
      const isFound = `${key} ${card.root.textContent}`.toLowerCase().includes(wanted);
      card.root.hidden = !isFound;
      if (isFound) found += 1;
    }
    setText(count, found === cards.size ? String(cards.size) : `${found} of ${cards.size}`);
  }

  async function toggle(flag: Flag): Promise<void> {
    const card = cards.get(flag.key);
    card?.await(true);
    const isDone = await setFlagEnabled(flag.id, !flag.enabled);
    // The card moves when the change comes through the stream, as it would for an edit made elsewhere.
    if (isDone) return;
    card?.await(false);
    onRefused(flag);
  }

  /** Changes of one moment are drawn together. */
  function showChange({ flagKey }: FlagChange): void {
    if (changedKeys.size === 0) queueMicrotask(showChanged);
    changedKeys.add(flagKey);
  }

  function showChanged(): void {
    show();
    for (const key of changedKeys) {
      cards.get(key)?.await(false);
      cards.get(key)?.flash();
    }
    changedKeys.clear();
  }

  return { show, showChange };
}
