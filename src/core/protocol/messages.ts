/**
 * The messages a server sends about flags, encoded and decoded side by side.
 * The format only ever grows optional fields; an unknown event type is news to count, a malformed known one is an error.
 */
import { FlagError, type Result } from '../errors.ts';
import { CHANGE_TYPES, type Change, type ChangeType, type EventId, type Snapshot } from '../model.ts';
import { readFlag, readFlags } from './decode-flag.ts';
import { decodeEventId, encodeEventId } from './event-id.ts';
import { LIMITS } from './limits.ts';
import {
  attempt,
  fail,
  type Json,
  readCount,
  readJson,
  readKey,
  readList,
  readNumber,
  readObject,
  readOptional,
  readString,
} from './read.ts';

export type Message =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot; readonly timestampMs: number }
  | { readonly kind: 'change'; readonly change: Change }
  /** Consecutive changes that arrive, are stored and are shown together. */
  | { readonly kind: 'batch'; readonly changes: readonly Change[] }
  /** The server is about to close on purpose; come back no earlier than `retryAfterMs`. */
  | { readonly kind: 'bye'; readonly retryAfterMs: number; readonly reason: string }
  /** From a newer server; skipped and counted. */
  | { readonly kind: 'unknown'; readonly type: string };

/** One server-sent event, or a WebSocket frame taken apart: `event` names the type, `id` is the event id. */
export interface EventFrame {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

export function encodeMessage(message: Message): EventFrame {
  switch (message.kind) {
    case 'change':
      return encodeChange(message.change);
    case 'snapshot': {
      const { snapshot, timestampMs } = message;
      const { epoch, revision, flags } = snapshot;
      return frame('snapshot', snapshot, { type: 'SNAPSHOT', epoch, revision, timestampMs, flags });
    }
    case 'batch': {
      const last = message.changes.at(-1);
      if (last === undefined) throw new FlagError('invalid_data', 'A batch must hold at least one change.');
      return frame('batch', last, { type: 'BATCH', changes: message.changes.map(changeJson) });
    }
    case 'bye':
      return frame('bye', undefined, {
        type: 'BYE',
        retryAfterMs: message.retryAfterMs,
        reason: message.reason,
      });
    case 'unknown':
      return frame(message.type, undefined, {});
  }
}

export function encodeChange(change: Change): EventFrame {
  return frame(change.type.toLowerCase(), change, changeJson(change));
}

function frame(event: string, id: EventId | undefined, data: object): EventFrame {
  return { event, id: id && encodeEventId(id), data: JSON.stringify(data) };
}

function changeJson(change: Change): object {
  const { type, flagID, flagKey, revision, timestampMs, flag, segmentID } = change;
  const data = flag ?? flagKey;
  return {
    type,
    flagID,
    flagKey,
    revision,
    timestampMs,
    data,
    ...(segmentID !== undefined && { segmentID }),
  };
}

/** Events are named as types are, in lower case. A search, because bundlers keep a map that is made on loading even where nobody decodes. */
function changeTypeOf(event: string): ChangeType | undefined {
  return CHANGE_TYPES.find((type) => type.toLowerCase() === event);
}

export function decodeMessage(event: EventFrame): Result<Message> {
  return attempt(() => readMessage(event, () => dataOf(event)));
}

/** The name and the id of an event; its data comes in the form that the transport has. */
type EventHead = Pick<EventFrame, 'event' | 'id'>;

/** `data` is not asked for when the type is unknown. */
export function readMessage(event: EventHead, data: () => Json): Message {
  const changeType = changeTypeOf(event.event);
  if (changeType !== undefined) {
    const id = readId(event);
    return {
      kind: 'change',
      change: readChange(data(), event.event, id.epoch, id.revision, changeType),
    };
  }
  switch (event.event) {
    case 'snapshot':
      return readSnapshotMessage(data(), event);
    case 'batch':
      return readBatch(data(), event);
    case 'bye':
      return readBye(data());
    default:
      return { kind: 'unknown', type: event.event };
  }
}

function dataOf(event: EventFrame): Json {
  return readObject(readJson(event.data, event.event, LIMITS.eventLength), event.event);
}

function readId(event: EventHead): EventId {
  return decodeEventId(event.id) ?? fail(`${event.event}.id`, 'an event id (epoch.revision)', event.id);
}

function readSnapshotMessage(json: Json, event: EventHead): Message {
  const id = readId(event);
  const revision = readOptional(json.revision, 'snapshot.revision', id.revision, readCount);
  if (revision !== id.revision) fail('snapshot.revision', `${id.revision}, as in the event id`, revision);
  return {
    kind: 'snapshot',
    snapshot: { epoch: id.epoch, revision, flags: readFlags(json.flags, 'snapshot.flags') },
    timestampMs: readOptional(json.timestampMs, 'snapshot.timestampMs', 0, readNumber),
  };
}

function readBatch(json: Json, event: EventHead): Message {
  const { epoch, revision } = readId(event);
  const changes = readList(
    json.changes,
    'batch.changes',
    (item, path) => readChange(readObject(item, path), path, epoch),
    LIMITS.batchChanges,
  );
  const last = changes.at(-1);
  if (last === undefined) fail('batch.changes', 'a list of at least one change', json.changes);
  if (last.revision !== revision) fail('batch.changes', `changes up to revision ${revision}`, last.revision);
  return { kind: 'batch', changes };
}

function readBye(json: Json): Message {
  return {
    kind: 'bye',
    retryAfterMs: readOptional(json.retryAfterMs, 'bye.retryAfterMs', 0, readCount),
    reason: readOptional(json.reason, 'bye.reason', '', readString),
  };
}

/** `revision` and `type`, when given, come from the frame around the data and must agree with it. */
export function readChange(
  json: Json,
  path: string,
  epoch: string,
  revision: number = readCount(json.revision, `${path}.revision`),
  type: ChangeType = readChangeType(json.type, `${path}.type`),
): Change {
  if (json.type !== type) fail(`${path}.type`, type, json.type);
  if (json.revision !== revision) fail(`${path}.revision`, `${revision}, as in the event id`, json.revision);
  const flagKey = readKey(json.flagKey, `${path}.flagKey`, LIMITS.keyLength);
  const flagID = readCount(json.flagID, `${path}.flagID`);
  const flag = type === 'FLAG_DELETED' ? null : readFlag(json.data, `${path}.data`);
  if (flag !== null && flag.key !== flagKey) fail(`${path}.data.key`, `${flagKey}, as in flagKey`, flag.key);
  if (flag !== null && flag.id !== flagID) fail(`${path}.data.id`, `${flagID}, as in flagID`, flag.id);
  const segmentID = readOptional(json.segmentID, `${path}.segmentID`, undefined, readCount);
  const timestampMs = readOptional(json.timestampMs, `${path}.timestampMs`, 0, readNumber);
  return {
    type,
    epoch,
    revision,
    timestampMs,
    flagID,
    flagKey,
    flag,
    ...(segmentID !== undefined && { segmentID }),
  };
}

function readChangeType(value: unknown, path: string): ChangeType {
  const type = CHANGE_TYPES.find((known) => known === value);
  return type ?? fail(path, `one of ${CHANGE_TYPES.join(', ')}`, value);
}

/** Changes of one epoch as text, for a log. */
export function encodeChanges(changes: readonly Change[]): string {
  return JSON.stringify(changes.map(changeJson));
}

export function decodeChanges(text: string, epoch: string): Result<Change[]> {
  return attempt(() =>
    readList(readJson(text, 'changes', Number.MAX_SAFE_INTEGER), 'changes', (item, path) =>
      readChange(readObject(item, path), path, epoch),
    ),
  );
}

/** The body of `GET /api/v1/snapshot`. */
export function encodeSnapshot(snapshot: Snapshot): string {
  return JSON.stringify(snapshot);
}

export function decodeSnapshot(text: string): Result<Snapshot> {
  return attempt(() => {
    const json = readObject(readJson(text, 'snapshot', LIMITS.eventLength), 'snapshot');
    const epoch = readString(json.epoch, 'snapshot.epoch');
    const revision = readCount(json.revision, 'snapshot.revision');
    const id = decodeEventId(encodeEventId({ epoch, revision }));
    if (id === undefined) fail('snapshot.epoch', '1 to 64 letters, digits, _ or -', epoch);
    return { ...id, flags: readFlags(json.flags, 'snapshot.flags') };
  });
}
