/** One flag for human eyes. */
import type { Flag, Segment, Variant } from '../core/model.ts';
import { printable } from './printable.ts';

export function describeFlag(flag: Flag): string {
  const rows: (readonly [string, string])[] = [
    ['flag', `${printable(flag.key)} (id ${flag.id})`],
    ['state', flag.enabled ? 'enabled' : 'disabled'],
    ['description', flag.description && printable(flag.description)],
    ['tags', flag.tags.map(({ value }) => printable(value)).join(', ')],
    ['depends on', flag.dependsOn.map(printable).join(', ')],
    ['entity type', flag.entityType ?? ''],
    ['updated', flag.updatedAt ?? ''],
    ...flag.variants.map((variant) => ['variant', describeVariant(variant)] as const),
    ...flag.segments.flatMap((segment) => describeSegment(segment, flag.variants)),
  ];
  return rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name.padEnd(12)} ${value}`)
    .join('\n');
}

function describeVariant({ key, attachment }: Variant): string {
  return attachment === null ? printable(key) : `${printable(key)} ${JSON.stringify(attachment)}`;
}

function describeSegment(segment: Segment, variants: readonly Variant[]): (readonly [string, string])[] {
  const name = segment.description === '' ? `${segment.id}` : printable(segment.description);
  const shares = segment.distributions.map(({ variantID, variantKey, percent }) => {
    const key = variantKey ?? variants.find(({ id }) => id === variantID)?.key ?? `${variantID}`;
    return `${printable(key)} ${percent} %`;
  });
  return [
    ['segment', `${name}: lets ${segment.rolloutPercent} % in`],
    ...segment.constraints.map(
      ({ property, operator, value }) =>
        ['  if', `${printable(property)} ${operator} ${printable(value)}`] as const,
    ),
    ['  gives', shares.join(', ')],
  ];
}
