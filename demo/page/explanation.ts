/** What one flag gives the entity, and why: step by step, with the place in the rollout and the attachment. */
import { describeStep, type EvaluationResult, type EvaluationStep, type Flag } from 'flagent-offline';
import { attachmentList } from './attachment-list.ts';
import { labelledBucketBar } from './bucket-bar.ts';
import { button, element, setText, showChildren } from './element.ts';
import { sayReason } from './say-reason.ts';

export interface Explanation {
  readonly root: HTMLElement;
  /** `flag`: `undefined` when this tab does not hold it. */
  show(flag: Flag | undefined, result: EvaluationResult): void;
}

export interface ExplanationOptions {
  readonly evaluate: (flagKey: string) => EvaluationResult;
  /** Hears of a dependency that somebody wants explained. */
  readonly onPick: (flagKey: string) => void;
}

export function createExplanation({ evaluate, onPick }: ExplanationOptions): Explanation {
  const variant = element('strong');
  const reason = element('code');
  const words = element('span');
  const verdict = element('output', { class: 'verdict' }, variant, reason, words);
  const asked = element('p', { class: 'hint' });
  const steps = element('ol', { class: 'steps' });
  const attachment = element('div');

  return {
    root: element(
      'div',
      { class: 'explanation' },
      verdict,
      asked,
      element('h3', {}, 'Why'),
      steps,
      element('h3', {}, 'Attachment'),
      attachment,
    ),
    show(flag, result) {
      setText(variant, result.variantKey ?? 'no variant');
      variant.dataset.variant = result.variantKey ?? 'none';
      setText(reason, result.reason);
      setText(words, sayReason(result.reason));
      showChildren(asked, ...sayAsked(flag, result, evaluate, onPick));
      showChildren(steps, ...(result.steps ?? []).map((step) => stepOf(flag, step)));
      showChildren(attachment, attachmentList(result));
    },
  };
}

function sayAsked(
  flag: Flag | undefined,
  { entityID, entityType }: EvaluationResult,
  evaluate: ExplanationOptions['evaluate'],
  onPick: ExplanationOptions['onPick'],
): readonly Node[] {
  const who = entityID.trim() === '' ? 'nobody' : `${entityType} ${entityID}`.trim();
  const dependencies = (flag?.dependsOn ?? []).flatMap((flagKey) => [
    new Text(' · depends on '),
    button(flagKey, () => onPick(flagKey), { class: 'link' }),
    new Text(` (${evaluate(flagKey).variantKey ?? 'no variant'})`),
  ]);
  return [new Text(`For ${who}`), ...dependencies];
}

function stepOf(flag: Flag | undefined, step: EvaluationStep): HTMLElement {
  const segment = 'segmentID' in step ? flag?.segments.find(({ id }) => id === step.segmentID) : undefined;
  const said = element('span', {}, describeStep(step));
  if (flag === undefined || segment === undefined) return element('li', { 'data-step': step.is }, said);
  const bucket = 'bucket' in step && step.bucket >= 0 ? step.bucket : undefined;
  const name = element('b', {}, segment.description);
  const bar = 'rolloutPercent' in step ? labelledBucketBar({ flag, segment, bucket }) : undefined;
  return element('li', { 'data-step': step.is }, name, ' ', said, bar);
}
