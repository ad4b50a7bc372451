/** `GET /api/v1/flags` and `/tags`: what the query asks for, out of all flags. */
import { fail, readCount } from '../../core/protocol/read.ts';
import type { FlagRecord } from '../record.ts';
import type { Catalogue } from '../sources/contract.ts';
import { flagListResponse, flagResponse } from './responses.ts';

export interface Page {
  readonly items: readonly object[];
  /** Before `limit` and `offset`; sent as `X-Total-Count`. */
  readonly total: number;
}

/** Newest first. `tags` is comma separated, any of them; `deleted` or `includeArchived` adds the deleted ones. */
export function listFlags(catalogue: Catalogue, query: URLSearchParams): Page {
  const isWanted = wantedBy(query);
  const found = [...catalogue.records.values()].filter(isWanted).reverse();
  const toResponse = flagged(query, 'preload') === true ? flagResponse : flagListResponse;
  return { items: slice(found, query).map(toResponse), total: found.length };
}

function wantedBy(query: URLSearchParams): (record: FlagRecord) => boolean {
  const enabled = flagged(query, 'enabled');
  const key = query.get('key');
  const description = query.get('description');
  const part = query.get('descriptionLike')?.toLowerCase();
  const tags =
    query
      .get('tags')
      ?.split(',')
      .filter((tag) => tag !== '') ?? [];
  const withDeleted = flagged(query, 'deleted') === true || flagged(query, 'includeArchived') === true;
  return ({ flag, archived }) =>
    (withDeleted || !archived) &&
    (enabled === undefined || flag.enabled === enabled) &&
    (key === null || flag.key === key) &&
    (description === null || flag.description === description) &&
    (part === undefined || flag.description.toLowerCase().includes(part)) &&
    (tags.length === 0 || flag.tags.some(({ value }) => tags.includes(value)));
}

/** Tags in use, by id. `value_like` is a part of the value. */
export function listTags(catalogue: Catalogue, query: URLSearchParams): Page {
  const part = query.get('value_like')?.toLowerCase() ?? '';
  const tags = new Map(
    [...catalogue.records.values()]
      .filter(({ archived }) => !archived)
      .flatMap(({ flag }) => flag.tags)
      .map((tag) => [tag.id, tag]),
  );
  const found = [...tags.values()]
    .filter(({ value }) => value.toLowerCase().includes(part))
    .toSorted((a, b) => a.id - b.id);
  return { items: slice(found, query), total: found.length };
}

/** The entity types that flags name, each once. */
export function listEntityTypes(catalogue: Catalogue): readonly string[] {
  const types = [...catalogue.records.values()].map(({ flag }) => flag.entityType);
  return [...new Set(types.filter((type) => type !== null))].toSorted();
}

function slice<T>(all: readonly T[], query: URLSearchParams): readonly T[] {
  const offset = counted(query, 'offset') ?? 0;
  const limit = counted(query, 'limit') ?? all.length;
  return all.slice(offset, offset + limit);
}

function counted(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  return /^\d+$/.test(text) ? readCount(Number(text), name) : fail(name, 'a whole number from 0', text);
}

function flagged(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  return text === 'true' || (text === 'false' ? false : fail(name, 'true or false', text));
}
