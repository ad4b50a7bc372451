/** Endpoints of flags as a whole. */
import { randomBytes } from 'node:crypto';
import { recordOf } from '../edits/edit-flag.ts';
import { createFlag, setArchived, setEnabled, updateFlag } from '../edits/flags.ts';
import { readEnabled, readEnabledOfMany, readFlagUpdate, readNewFlag } from '../edits/inputs.ts';
import type { FlagSource } from '../sources/contract.ts';
import { listEntityTypes, listFlags } from './flag-list.ts';
import { flagResponse } from './responses.ts';
import { type Route, reads, writes } from './route.ts';

export function flagRoutes(source: FlagSource): readonly Route[] {
  return [
    reads('/flags', ({ query }) => {
      const { items, total } = listFlags(source.catalogue, query);
      return { json: items, headers: { 'X-Total-Count': String(total) } };
    }),
    reads('/flags/entity_types', () => ({ json: listEntityTypes(source.catalogue) })),
    writes('PUT', '/flags/batch/enabled', async ({ body }) => {
      const { ids, enabled } = readEnabledOfMany(await body());
      return { json: (await source.edit(setEnabled(ids, enabled))).map(flagResponse) };
    }),
    writes('POST', '/flags', async ({ body }) => {
      const input = readNewFlag(await body());
      return { json: flagResponse(await source.edit(createFlag(input, madeUpKey()))) };
    }),
    reads('/flags/:flagID', ({ id }) => ({
      json: flagResponse(recordOf(source.catalogue, id('flagID'))),
    })),
    writes('PUT', '/flags/:flagID', async ({ id, body }) => {
      const input = readFlagUpdate(await body());
      return { json: flagResponse(await source.edit(updateFlag(id('flagID'), input))) };
    }),
    writes('DELETE', '/flags/:flagID', async ({ id }) => {
      await source.edit(setArchived(id('flagID'), true));
      return {};
    }),
    writes('PUT', '/flags/:flagID/restore', async ({ id }) => ({
      json: flagResponse(await source.edit(setArchived(id('flagID'), false))),
    })),
    writes('PUT', '/flags/:flagID/enabled', async ({ id, body }) => {
      const enabled = readEnabled(await body());
      const [record] = await source.edit(setEnabled([id('flagID')], enabled));
      return { json: record && flagResponse(record) };
    }),
  ];
}

/** As Flagent does: "k" and 16 characters. */
function madeUpKey(): string {
  return `k${randomBytes(8).toString('hex')}`;
}
