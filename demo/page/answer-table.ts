/** What every flag gives the entity, one line each. */
import type { EvaluationResult, Flag } from 'flagent-offline';
import { button, element, setText } from './element.ts';
import { sayReason } from './say-reason.ts';

export interface AnswerTable {
  readonly root: HTMLElement;
  /** In this order. */
  show(flags: readonly Flag[], evaluate: (flagKey: string) => EvaluationResult): void;
}

interface Row {
  readonly root: HTMLElement;
  show(result: EvaluationResult): void;
}

/** `onPick` hears of the flag that somebody wants explained. */
export function createAnswerTable(onPick: (flagKey: string) => void): AnswerTable {
  const rows = new Map<string, Row>();
  const body = element('tbody');
  const heads = ['Flag', 'Variant', 'Reason'].map((text) => element('th', { scope: 'col' }, text));

  function rowOf(flagKey: string): Row {
    const row = rows.get(flagKey) ?? createRow(flagKey, onPick);
    rows.set(flagKey, row);
    return row;
  }

  return {
    root: element(
      'div',
      { class: 'answers', role: 'region', 'aria-label': 'What every flag gives', tabindex: '0' },
      element('table', {}, element('thead', {}, element('tr', {}, ...heads)), body),
    ),
    show(flags, evaluate) {
      const held = new Set(flags.map(({ key }) => key));
      for (const [flagKey, row] of rows) {
        if (held.has(flagKey)) continue;
        row.root.remove();
        rows.delete(flagKey);
      }
      flags.forEach(({ key }, position) => {
        const row = rowOf(key);
        row.show(evaluate(key));
        const there = body.children[position];
        if (there !== row.root) body.insertBefore(row.root, there ?? null);
      });
    },
  };
}

function createRow(flagKey: string, onPick: (flagKey: string) => void): Row {
  const variant = element('td');
  const reason = element('code');
  const pick = button(flagKey, () => onPick(flagKey), { class: 'link' });
  return {
    root: element(
      'tr',
      { 'data-answer': flagKey },
      element('th', { scope: 'row' }, pick),
      variant,
      element('td', {}, reason),
    ),
    show(result) {
      setText(variant, result.variantKey ?? '–');
      variant.dataset.variant = result.variantKey ?? 'none';
      setText(reason, result.reason);
      reason.title = sayReason(result.reason);
    },
  };
}
