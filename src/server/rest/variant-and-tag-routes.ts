/** Endpoints of variants and tags. */
import { recordOf } from '../edits/edit-flag.ts';
import { readTagInput, readVariantInput } from '../edits/inputs.ts';
import {
  addTag,
  createVariant,
  deleteVariant,
  removeTag,
  updateVariant,
} from '../edits/variants-and-tags.ts';
import type { FlagSource } from '../sources/contract.ts';
import { listTags } from './flag-list.ts';
import { variantResponse } from './responses.ts';
import { type Route, reads, writes } from './route.ts';

const VARIANTS = '/flags/:flagID/variants';
const TAGS = '/flags/:flagID/tags';

export function variantAndTagRoutes(source: FlagSource): readonly Route[] {
  return [
    reads(VARIANTS, ({ id }) => {
      const { flag } = recordOf(source.catalogue, id('flagID'));
      return { json: flag.variants.map((variant) => variantResponse(flag.id, variant)) };
    }),
    writes('POST', VARIANTS, async ({ id, body }) => {
      const variant = await source.edit(createVariant(id('flagID'), readVariantInput(await body())));
      return { json: variantResponse(id('flagID'), variant) };
    }),
    writes('PUT', `${VARIANTS}/:variantID`, async ({ id, body }) => {
      const input = readVariantInput(await body());
      const variant = await source.edit(updateVariant(id('flagID'), id('variantID'), input));
      return { json: variantResponse(id('flagID'), variant) };
    }),
    writes('DELETE', `${VARIANTS}/:variantID`, async ({ id }) => {
      await source.edit(deleteVariant(id('flagID'), id('variantID')));
      return {};
    }),
    reads('/tags', ({ query }) => {
      const { items, total } = listTags(source.catalogue, query);
      return { json: items, headers: { 'X-Total-Count': String(total) } };
    }),
    reads(TAGS, ({ id }) => ({ json: recordOf(source.catalogue, id('flagID')).flag.tags })),
    writes('POST', TAGS, async ({ id, body }) => ({
      json: await source.edit(addTag(id('flagID'), readTagInput(await body()))),
    })),
    writes('DELETE', `${TAGS}/:tagID`, async ({ id }) => {
      await source.edit(removeTag(id('flagID'), id('tagID')));
      return {};
    }),
  ];
}
