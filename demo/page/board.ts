/** All flags as cards, found by words and shown as the one who is asked for gets them. It asks the client of the moment and keeps no flags of its own. */
import type { EvaluationResult, Flag, FlagChange, FlagClient } from 'flagent-offline';
import { element, setText } from './element.ts';
import { createFlagCard, type FlagCard } from './flag-card.ts';
import { setFlagEnabled } from './world.ts';

export interface Board {
  /** All cards anew from what the client holds. */
  show(): void;
  /** The same soon, and marks the card of the changed flag. */
  showChange(change: FlagChange): void;
  /** Marks the card of a flag that is being edited until the change comes; `edit` is false when the server did not take it. */
  awaitEdit(flag: Flag, edit: Promise<boolean>): Promise<void>;
}

export interface BoardOptions {
  readonly client: { readonly now: FlagClient };
  readonly evaluate: (flagKey: string) => EvaluationResult;
  /** Hears of a flag that somebody wants explained. */
  readonly onWhy: (flagKey: string) => void;
  /** Hears of an edit that the demo's server did not take. */
  readonly onRefused: (flag: Flag) => void;
}

export function createBoard(container: HTMLElement, options: BoardOptions): Board {
  const { client, evaluate, onWhy, onRefused } = options;
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
  words.addEventListener('input', showFound);
  container.append(
    element('div', { class: 'toolbar' }, element('h2', {}, 'Flags'), count, words),
    empty,
    grid,
  );

  function show(): void {
    const flags = [...client.now.peekFlags().values()].sort((a, b) => a.id - b.id);
    for (const [key, card] of cards) {
      if (client.now.peekFlag(key) !== undefined) continue;
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
    const card = cards.get(flag.key) ?? createFlagCard(flag, { onToggle: toggle, onWhy });
    cards.set(flag.key, card);
    card.show(flag, evaluate(flag.key));
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

  function toggle(flag: Flag): Promise<void> {
    return awaitEdit(flag, setFlagEnabled(flag.id, !flag.enabled));
  }

  async function awaitEdit(flag: Flag, edit: Promise<boolean>): Promise<void> {
    const card = cards.get(flag.key);
    card?.await(true);
    // The card moves when the change comes through the stream, as it would for an edit made elsewhere.
    if (await edit) return;
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

  return { show, showChange, awaitEdit };
}
