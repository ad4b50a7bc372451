/** Edits of a flag's variants and tags. */
import type { Flag, Tag, Variant } from '../../core/model.ts';
import { conflict } from '../http-error.ts';
import { idsAfter } from '../record.ts';
import { type Edit, editFlag, liveRecord, partOf, recordOf, withPart } from './edit-flag.ts';
import type { VariantInput } from './inputs.ts';

export function createVariant(flagID: number, { key, attachment = null }: VariantInput): Edit<Variant> {
  return editFlag(flagID, (flag, ids) => {
    const variant = { id: ids.next('variant'), key, attachment };
    refuseKeyTwice(flag, variant);
    return {
      flag: { ...flag, variants: [...flag.variants, variant] },
      type: 'FLAG_UPDATED',
      answer: () => variant,
    };
  });
}

/** Distributions carry the key too and follow it. */
export function updateVariant(flagID: number, variantID: number, input: VariantInput): Edit<Variant> {
  return editFlag(flagID, (flag) => {
    const { attachment } = partOf(flag.variants, variantID, 'Variant');
    const variant = { id: variantID, key: input.key, attachment: input.attachment ?? attachment };
    refuseKeyTwice(flag, variant);
    const segments = flag.segments.map((segment) => ({
      ...segment,
      distributions: segment.distributions.map((distribution) =>
        distribution.variantID === variantID ? { ...distribution, variantKey: variant.key } : distribution,
      ),
    }));
    return {
      flag: { ...flag, segments, variants: withPart(flag.variants, variant) },
      type: 'FLAG_UPDATED',
      answer: () => variant,
    };
  });
}

function refuseKeyTwice(flag: Flag, { id, key }: Variant): void {
  const owner = flag.variants.find((variant) => variant.key === key && variant.id !== id);
  if (owner === undefined) return;
  throw conflict(`Variant ${owner.id} of flag ${flag.id} already has the key "${key}". Choose another key.`);
}

/** Distributions that give the variant 0 % go with it. */
export function deleteVariant(flagID: number, variantID: number): Edit<void> {
  return editFlag(flagID, (flag) => {
    partOf(flag.variants, variantID, 'Variant');
    const user = flag.segments.find(({ distributions }) =>
      distributions.some((share) => share.variantID === variantID && share.percent !== 0),
    );
    if (user !== undefined) {
      throw conflict(
        `Segment ${user.id} gives variant ${variantID} a share. Give it 0 percent there first, then delete it.`,
      );
    }
    const segments = flag.segments.map((segment) => ({
      ...segment,
      distributions: segment.distributions.filter((share) => share.variantID !== variantID),
    }));
    return {
      flag: { ...flag, segments, variants: flag.variants.filter(({ id }) => id !== variantID) },
      type: 'FLAG_UPDATED',
      answer: () => undefined,
    };
  });
}

/** A tag has one id wherever it is used. */
export function addTag(flagID: number, value: string): Edit<Tag> {
  return (catalogue) => {
    const record = liveRecord(catalogue, flagID);
    const ids = idsAfter(catalogue.lastIDs);
    const tag = { id: catalogue.tags.get(value) ?? ids.next('tag'), value };
    const tags = withPart(record.flag.tags, tag).toSorted((a, b) => a.id - b.id);
    return {
      writes: [{ record: { ...record, flag: { ...record.flag, tags } }, type: 'FLAG_UPDATED' }],
      lastIDs: ids.last,
      answer: (now) => partOf(recordOf(now, flagID).flag.tags, tag.id, 'Tag'),
    };
  };
}

export function removeTag(flagID: number, tagID: number): Edit<void> {
  return editFlag(flagID, (flag) => {
    partOf(flag.tags, tagID, 'Tag');
    return {
      flag: { ...flag, tags: flag.tags.filter(({ id }) => id !== tagID) },
      type: 'FLAG_UPDATED',
      answer: () => undefined,
    };
  });
}
