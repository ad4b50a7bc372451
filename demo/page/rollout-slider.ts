/** Moves the rollout of a segment on the server. The bar moves when the change comes back through the stream, as in every other tab. */
import type { Flag } from 'flagent-offline';
import { element, setText } from './element.ts';

export interface RolloutEdit {
  readonly flag: Flag;
  readonly segmentID: number;
  readonly rolloutPercent: number;
}

export interface RolloutSlider {
  readonly root: HTMLElement;
  /** Hidden without flag or segment. */
  show(flag: Flag | undefined, segmentID: number | null): void;
}

/** `onEdit` settles when the server has taken the edit, or will not. */
export function createRolloutSlider(onEdit: (edit: RolloutEdit) => Promise<void>): RolloutSlider {
  const name = element('span');
  const percent = element('output');
  const slider = element('input', { type: 'range', min: '0', max: '100', step: '1' });
  const root = element('label', { class: 'slider', hidden: true }, name, slider, percent);
  let shown: RolloutEdit | undefined;
  let editsUnderWay = 0;

  slider.addEventListener('input', () => setText(percent, sayPercent(slider.valueAsNumber)));
  slider.addEventListener('change', async () => {
    if (shown === undefined) return;
    editsUnderWay += 1;
    await onEdit({ ...shown, rolloutPercent: slider.valueAsNumber });
    editsUnderWay -= 1;
    showPercent();
  });

  /** What is held here, unless a hand has gone on from there. */
  function showPercent(): void {
    if (shown === undefined || editsUnderWay > 0) return;
    slider.valueAsNumber = shown.rolloutPercent;
    setText(percent, sayPercent(shown.rolloutPercent));
  }

  return {
    root,
    show(flag, segmentID) {
      const segment = flag?.segments.find(({ id }) => id === segmentID);
      root.hidden = segment === undefined;
      if (flag === undefined || segment === undefined) return;
      const { id, rolloutPercent, description } = segment;
      const isOther = shown?.segmentID !== id || shown.rolloutPercent !== rolloutPercent;
      shown = { flag, segmentID: id, rolloutPercent };
      setText(name, `Rollout of “${description}”, on the server`);
      if (isOther) showPercent();
    },
  };
}

function sayPercent(percent: number): string {
  return `${percent}\u00a0%`;
}
