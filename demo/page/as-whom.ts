/** The panel that asks: as whom, for which flag; and what comes out, decided in this tab at every keystroke and every change. */
import type { EvaluationResult, Flag, FlagClient } from 'flagent-offline';
import { createAnswerTable } from './answer-table.ts';
import { element, showChildren } from './element.ts';
import { createExplanation } from './explanation.ts';
import { entityOf, keepQuestion, type Question, recallQuestion } from './question.ts';
import { createRolloutSlider, type RolloutEdit } from './rollout-slider.ts';
import { VISITORS } from './visitors.ts';
import { createWhomForm } from './whom-form.ts';

export interface AsWhom {
  /** From what the client holds now. */
  show(): void;
  /** The same soon; the changes of one moment together. */
  showChange(): void;
  /** What a flag gives the one who is asked for, with the steps. */
  evaluate(flagKey: string): EvaluationResult;
  /** Explains a flag and goes there. */
  pick(flagKey: string): void;
}

export interface AsWhomOptions {
  readonly client: { readonly now: FlagClient };
  /** Somebody else is asked for. */
  readonly onWhom: () => void;
  readonly onRollout: (edit: RolloutEdit) => Promise<void>;
}

const FIRST: Question = { whom: VISITORS[0].whom, flagKey: 'new_payment_flow' };

export function createAsWhom(container: HTMLElement, options: AsWhomOptions): AsWhom {
  const { client, onWhom, onRollout } = options;
  let question = recallQuestion(FIRST);
  let isDue = false;

  const form = createWhomForm(question.whom, (whom) => {
    ask({ ...question, whom });
    onWhom();
  });
  const flagKeys = element('select', { 'aria-label': 'Flag to explain' });
  flagKeys.addEventListener('change', () => ask({ ...question, flagKey: flagKeys.value || null }));
  const explanation = createExplanation({ evaluate, onPick: pick });
  const slider = createRolloutSlider(onRollout);
  const table = createAnswerTable(pick);
  container.append(
    element('div', { class: 'panel-head' }, element('h2', {}, 'As whom?'), flagKeys),
    element(
      'div',
      { class: 'whom-parts' },
      form.root,
      element('div', { class: 'whom-answer' }, explanation.root, slider.root, table.root),
    ),
  );

  function ask(next: Question): void {
    question = next;
    show();
    keepQuestion(question);
  }

  function evaluate(flagKey: string): EvaluationResult {
    return client.now.evaluateNow({ ...entityOf(question.whom), flagKey, enableDebug: true });
  }

  function pick(flagKey: string): void {
    ask({ ...question, flagKey });
    flagKeys.focus();
  }

  function show(): void {
    const flags = [...client.now.peekFlags().values()].sort((a, b) => a.id - b.id);
    const { flagKey } = question;
    form.suggest(propertiesOf(flags));
    showFlagKeys(flags.map(({ key }) => key));
    explanation.root.hidden = flagKey === null;
    table.root.hidden = flagKey !== null;
    if (flagKey === null) {
      slider.show(undefined, null);
      table.show(flags, evaluate);
      return;
    }
    const flag = client.now.peekFlag(flagKey);
    const result = evaluate(flagKey);
    explanation.show(flag, result);
    slider.show(flag, segmentJoinedBy(result));
  }

  /** A flag that is gone stays chosen: it may come back. */
  function showFlagKeys(held: readonly string[]): void {
    const { flagKey } = question;
    const keys = flagKey === null || held.includes(flagKey) ? held : [flagKey, ...held];
    const choices = keys.map((key) => element('option', { value: key }, key));
    showChildren(flagKeys, element('option', { value: '' }, 'All flags'), ...choices);
    flagKeys.value = flagKey ?? '';
  }

  function showDue(): void {
    isDue = false;
    show();
  }

  return {
    show,
    showChange() {
      if (!isDue) queueMicrotask(showDue);
      isDue = true;
    },
    evaluate,
    pick,
  };
}

/** The first segment whose constraints hold: whether it lets the entity in or not, which is what its slider changes. */
function segmentJoinedBy({ steps = [] }: EvaluationResult): number | null {
  const joined = steps.find((step) => step.is === 'let_in' || step.is === 'left_out');
  return joined?.segmentID ?? null;
}

function propertiesOf(flags: readonly Flag[]): readonly string[] {
  const constraints = flags.flatMap(({ segments }) => segments.flatMap((segment) => segment.constraints));
  return [...new Set(constraints.map(({ property }) => property))].sort();
}
