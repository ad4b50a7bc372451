/** One flag on the board: what it is, what the one who is asked for gets, and the switch that edits it on the server. */
import type { EvaluationResult, Flag } from 'flagent-offline';
import { bucketBar } from './bucket-bar.ts';
import { button, element, setText, showChildren } from './element.ts';

export interface FlagCard {
  readonly root: HTMLElement;
  show(flag: Flag, result: EvaluationResult): void;
  /** Draws the eye to a change that has just come. */
  flash(): void;
  /** Edited on the server, but the change has not come here yet. */
  await(isAwaited: boolean): void;
}

export interface FlagCardOptions {
  readonly onToggle: (flag: Flag) => void;
  /** Somebody wants to know how the answer comes about. */
  readonly onWhy: (flagKey: string) => void;
}

export function createFlagCard(flag: Flag, { onToggle, onWhy }: FlagCardOptions): FlagCard {
  let shown = flag;
  const toggle = element('button', {
    type: 'button',
    role: 'switch',
    class: 'switch',
    'aria-label': flag.key,
  });
  toggle.addEventListener('click', () => onToggle(shown));
  const description = element('p');
  const tags = element('ul', { class: 'tags', 'aria-label': 'Tags' });
  const rollout = element('div', { class: 'rollout' });
  const answer = element('output', { class: 'answer' });
  const why = button('why?', () => onWhy(flag.key), {
    class: 'link',
    'aria-label': `Why? Explain ${flag.key}`,
  });
  const awaited = element('span', { class: 'awaited', hidden: true }, 'edited, waiting for the network');
  const root = element(
    'article',
    { class: 'flag', 'data-flag': flag.key },
    element('header', {}, element('h3', {}, flag.key), toggle),
    description,
    rollout,
    element('footer', {}, tags, awaited, answer, why),
  );

  return {
    root,
    show(next, result) {
      shown = next;
      toggle.setAttribute('aria-checked', String(next.enabled));
      root.dataset.enabled = String(next.enabled);
      setText(description, next.description);
      showChildren(tags, ...next.tags.map(({ value }) => element('li', {}, value)));
      showChildren(rollout, ...rolloutOf(next, result));
      setText(answer, sayResult(result));
      answer.dataset.variant = result.variantKey === null ? 'none' : result.variantKey;
    },
    flash() {
      root.classList.remove('flash');
      // Reading the layout starts the animation anew when two changes follow each other.
      void root.offsetWidth;
      root.classList.add('flash');
    },
    await(isAwaited) {
      awaited.hidden = !isAwaited;
    },
  };
}

/** The segment that decides, or the last one: how many it lets in, which variants they get, and where the entity is. */
function rolloutOf(flag: Flag, { segmentID, steps = [] }: EvaluationResult): HTMLElement[] {
  const segment = flag.segments.find(({ id }) => id === segmentID) ?? flag.segments.at(-1);
  if (segment === undefined) return [];
  const step = steps.find((each) => 'bucket' in each && each.segmentID === segment.id);
  const bucket = step !== undefined && 'bucket' in step && step.bucket >= 0 ? step.bucket : undefined;
  const names = segment.distributions
    .filter(({ percent }) => percent > 0)
    .map(({ percent, variantKey }) => (percent === 100 ? variantKey : `${variantKey} ${percent}\u00a0%`));
  return [
    bucketBar({ flag, segment, bucket }),
    element('small', {}, `${segment.description}: ${segment.rolloutPercent}\u00a0% · ${names.join(', ')}`),
  ];
}

function sayResult({ variantKey, reason }: EvaluationResult): string {
  if (variantKey !== null) return variantKey;
  switch (reason) {
    case 'FLAG_DISABLED':
      return 'off';
    case 'DEPENDENCY_NOT_MET':
      return 'dependency off';
    default:
      return 'no variant';
  }
}
