/** A segment as a bar of 1000 buckets: the slice of each variant, where the rollout ends, and where the entity is. */
import type { Flag, Segment } from 'flagent-offline';
import { element } from './element.ts';
import { BUCKETS, type Slice, slicesOf, thresholdOf } from './slices.ts';

export interface Bar {
  readonly flag: Flag;
  readonly segment: Segment;
  /** Of the entity, 0 to 999; `undefined` when there is none, or none was counted. */
  readonly bucket: number | undefined;
}

/** Without words: these stand beside it. */
export function bucketBar({ flag, segment, bucket }: Bar): HTMLElement {
  const slices = slicesOf(segment).map((slice) => {
    const part = element('i', { 'data-part': partOf(flag, slice), title: saySlice(slice) });
    part.style.left = percentOf(slice.from);
    part.style.width = percentOf(slice.to - slice.from);
    return part;
  });
  const place = bucket === undefined ? undefined : at(bucket + 0.5, 'place');
  return element('div', { class: 'buckets', 'aria-hidden': 'true' }, ...slices, place);
}

/** The bar, with the numbers that belong to it. */
export function labelledBucketBar(bar: Bar): HTMLElement {
  const { flag, segment, bucket } = bar;
  const threshold = thresholdOf(segment.rolloutPercent);
  const legend = slicesOf(segment).map((slice) =>
    element('li', { 'data-part': partOf(flag, slice) }, saySlice(slice)),
  );
  if (threshold < BUCKETS) legend.push(element('li', {}, `left out ${threshold}–${BUCKETS - 1}`));
  const scale = element('div', { class: 'scale' });
  if (bucket !== undefined) scale.append(at(bucket + 0.5, 'bucket', `bucket ${bucket}`));
  const bucketsBar = bucketBar(bar);
  if (threshold < BUCKETS) bucketsBar.append(at(threshold, 'threshold'));
  return element(
    'div',
    { class: 'rollout-bar' },
    scale,
    bucketsBar,
    element('ul', { class: 'legend', 'aria-label': 'Buckets of each variant' }, ...legend),
  );
}

/** One colour per variant, the same in every segment of the flag. */
function partOf(flag: Flag, { variantID }: Slice): string {
  return String(flag.variants.findIndex(({ id }) => id === variantID) % 4);
}

function saySlice({ variantKey, from, to }: Slice): string {
  return `${variantKey} ${from}–${to - 1}`;
}

function at(bucket: number, name: string, text?: string): HTMLElement {
  const mark = element('b', { class: name }, text);
  mark.style.setProperty('--at', percentOf(bucket));
  return mark;
}

function percentOf(buckets: number): string {
  return `${(buckets * 100) / BUCKETS}%`;
}
