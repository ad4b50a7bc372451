/**
 * What a client says on the WebSocket: text frames, each a JSON object with its `type`. The format only ever grows optional fields and
 * types; a type that the server does not know is answered with an error, and the connection goes on.
 */

import { FlagError } from '../errors.ts';
import type { Entity } from '../evaluate/evaluation.ts';
import type { EventId, FlagFilter } from '../model.ts';
import { decodeEventId, encodeEventId } from './event-id.ts';
import { LIMITS } from './limits.ts';
import {
  attempt,
  fail,
  type Json,
  readBoolean,
  readCount,
  readJson,
  readKey,
  readList,
  readObject,
  readOptional,
  readString,
} from './read.ts';

/** The subprotocol: version and all. The server names it in its answer. */
export const WEBSOCKET_PROTOCOL = 'flagent.v1';
/** Before the token in base64url, as a second subprotocol: a page cannot set headers on a WebSocket. The server never repeats it. */
export const BEARER_PROTOCOL_PREFIX = 'flagent.bearer.';

export interface EntityQuestion extends Entity {
  readonly flagKey: string;
}

export type ClientFrame =
  /** Adds a subscription, or replaces the one with this id. `undefined` as filter means every flag. */
  | {
      readonly kind: 'subscribe';
      readonly id: string;
      readonly filter: FlagFilter | undefined;
      /** The state that the client holds of all its subscriptions, this one included. */
      readonly after: EventId | undefined;
    }
  | { readonly kind: 'unsubscribe'; readonly id: string }
  | { readonly kind: 'evaluate'; readonly id: string; readonly question: EntityQuestion }
  | { readonly kind: 'ping' };

export function encodeClientFrame(frame: ClientFrame): string {
  switch (frame.kind) {
    case 'subscribe': {
      const { id, filter, after } = frame;
      const names = filter ?? { all: true };
      return JSON.stringify({ type: 'subscribe', id, ...names, lastEventId: after && encodeEventId(after) });
    }
    case 'unsubscribe':
      return JSON.stringify({ type: 'unsubscribe', id: frame.id });
    case 'evaluate':
      return JSON.stringify({ type: 'evaluate', id: frame.id, ...frame.question });
    case 'ping':
      return '{"type":"ping"}';
  }
}

export type DecodedClientFrame =
  | { readonly ok: true; readonly frame: ClientFrame }
  | {
      readonly ok: false;
      readonly error: FlagError;
      /** Of the frame that is wrong, where it can be read. */
      readonly id: string | undefined;
      /** False when the text is not JSON at all: whoever sends it speaks another protocol. */
      readonly isJson: boolean;
    };

export function decodeClientFrame(text: string): DecodedClientFrame {
  // How long a frame may be is checked before it is put together from its bytes.
  const json = attempt(() => readJson(text, 'The frame', Number.POSITIVE_INFINITY));
  if (!json.ok) return { ...json, id: undefined, isJson: false };
  const frame = attempt(() => readFrame(readObject(json.value, 'The frame')));
  if (frame.ok) return { ok: true, frame: frame.value };
  return { ...frame, id: idOf(json.value), isJson: true };
}

/** Characters of an id that a client gives. */
const ID_LENGTH = 64;

function idOf(json: unknown): string | undefined {
  const id = attempt(() => readKey(readObject(json, '').id, 'id', ID_LENGTH));
  return id.ok ? id.value : undefined;
}

function readFrame(json: Json): ClientFrame {
  const type = readString(json.type, 'type');
  const id = () => readKey(json.id, `${type}.id`, ID_LENGTH);
  switch (type) {
    case 'subscribe':
      return { kind: 'subscribe', id: id(), filter: readFilter(json), after: readAfter(json) };
    case 'unsubscribe':
      return { kind: 'unsubscribe', id: id() };
    case 'evaluate':
      return { kind: 'evaluate', id: id(), question: readQuestion(json) };
    case 'ping':
      return { kind: 'ping' };
    default:
      return fail('type', 'subscribe, unsubscribe, evaluate or ping', type);
  }
}

function readAfter(json: Json): EventId | undefined {
  // Any other text is the id of a server that is not ours: the client then gets everything, as on SSE.
  return decodeEventId(readOptional(json.lastEventId, 'subscribe.lastEventId', undefined, readString));
}

function readFilter(json: Json): FlagFilter | undefined {
  const keys = (kind: string) => readNames(json, kind, (name, path) => readKey(name, path, LIMITS.keyLength));
  const flagKeys = keys('flagKeys');
  const flagIDs = readNames(json, 'flagIDs', readCount);
  const tags = keys('tags');
  const segmentsOf = keys('segmentsOf');
  if (readOptional(json.all, 'subscribe.all', false, readBoolean)) return undefined;
  const count = flagKeys.length + flagIDs.length + tags.length + segmentsOf.length;
  if (count === 0) {
    throw new FlagError(
      'invalid_data',
      'subscribe must name something in flagKeys, flagIDs, tags or segmentsOf, or say "all": true.',
      { path: 'subscribe' },
    );
  }
  refuseTooManyNames(count);
  return {
    ...(flagKeys.length > 0 && { flagKeys }),
    ...(flagIDs.length > 0 && { flagIDs }),
    ...(tags.length > 0 && { tags }),
    ...(segmentsOf.length > 0 && { segmentsOf }),
  };
}

/** Throws `too_large`. */
export function refuseTooManyNames(count: number): void {
  if (count <= LIMITS.filterNames) return;
  throw new FlagError(
    'too_large',
    `The filter has ${count} names; the limit is ${LIMITS.filterNames}. Filter by tag instead.`,
    { path: 'subscribe' },
  );
}

/** Sorted and each once, so that clients who ask for the same flags share what is encoded for them. */
function readNames<T extends string | number>(
  json: Json,
  kind: string,
  readName: (name: unknown, path: string) => T,
): readonly T[] {
  return [...new Set(readList(json[kind], `subscribe.${kind}`, readName, LIMITS.filterNames))].sort();
}

function readQuestion(json: Json): EntityQuestion {
  const entityID = readOptional(json.entityID, 'evaluate.entityID', undefined, readString);
  const entityType = readOptional(json.entityType, 'evaluate.entityType', undefined, readString);
  const entityContext = readOptional(json.entityContext, 'evaluate.entityContext', undefined, readContext);
  return {
    flagKey: readKey(json.flagKey, 'evaluate.flagKey', LIMITS.keyLength),
    ...(entityID !== undefined && { entityID }),
    ...(entityType !== undefined && { entityType }),
    ...(entityContext !== undefined && { entityContext }),
  };
}

/** Nested values have no form that a constraint could compare: better refused than silently never matched. */
function readContext(value: unknown, path: string): Json {
  const context = readObject(value, path);
  for (const [name, item] of Object.entries(context)) {
    if (typeof item === 'object' && item !== null) {
      fail(`${path}.${name}`, 'a string, number, boolean or null', item);
    }
  }
  return context;
}
