/** All flags at once: the snapshot that clients poll, the export, and the import. */
import { encodeEventId } from '../../core/protocol/event-id.ts';
import { importFlags } from '../edits/import-flags.ts';
import { readImport } from '../edits/read-import.ts';
import type { EncodedSnapshots } from '../encoded.ts';
import { readFilterQuery } from '../filter-query.ts';
import type { FlagSource } from '../sources/contract.ts';
import { exportResponse } from './responses.ts';
import { type Answer, type Ask, type Route, reads, writes } from './route.ts';

const MAX_IMPORT_BYTES = 64 * 1024 * 1024;

export function bulkRoutes(source: FlagSource, snapshots: EncodedSnapshots): readonly Route[] {
  return [
    reads('/snapshot', (ask) => snapshotAnswer(ask, source, snapshots)),
    reads('/export/eval_cache/json', () => ({
      json: {
        flags: [...source.catalogue.records.values()].filter(({ archived }) => !archived).map(exportResponse),
      },
    })),
    {
      ...writes('POST', '/import', async ({ body }) => ({
        json: await source.edit(importFlags(readImport(await body()))),
      })),
      maxBodyBytes: MAX_IMPORT_BYTES,
    },
  ];
}

/** The ETag is the event id, so that a snapshot can be followed by a stream from there. */
function snapshotAnswer(ask: Ask, source: FlagSource, snapshots: EncodedSnapshots): Answer {
  const filter = readFilterQuery(ask.query);
  const etag = `"${encodeEventId(source)}"`;
  const headers = { ETag: etag, 'Cache-Control': 'no-cache' };
  if (isHeld(ask.header('if-none-match'), etag)) return { status: 304, headers };
  return { headers, bytes: snapshots.body(filter) };
}

/** RFC 9110 §13.1.2, compared weakly: a proxy that compresses makes tags weak. */
function isHeld(ifNoneMatch: string | undefined, etag: string): boolean {
  const held = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return held.includes(etag) || held.includes('*');
}
