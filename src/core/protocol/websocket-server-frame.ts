/**
 * What the server says on the WebSocket: text frames, each a JSON object with its `type`. Events have the names, ids and data that they
 * have as server-sent events: `{"type":"flag_updated","eventId":"epoch.revision","data":{…}}`.
 */
import { FLAG_ERROR_CODES, type FlagErrorCode, type Result } from '../errors.ts';
import type { EvaluationReason, EvaluationResult } from '../evaluate/evaluation.ts';
import type { EventId } from '../model.ts';
import { readAttachment } from './decode-flag.ts';
import { decodeEventId, encodeEventId } from './event-id.ts';
import { LIMITS } from './limits.ts';
import { type EventFrame, type Message, readMessage } from './messages.ts';
import {
  attempt,
  fail,
  type Json,
  readCount,
  readJson,
  readObject,
  readOptional,
  readString,
} from './read.ts';

export type ServerFrame =
  /** A part of the stream; also what is not known here, from a newer server. */
  | { readonly kind: 'message'; readonly message: Message }
  /** The heartbeat: everything up to this state has been sent. */
  | { readonly kind: 'position'; readonly at: EventId }
  | Answer;

/** What answers one frame of the client. */
export type Answer =
  /** What follows belongs to this subscription too: first a snapshot of all that is subscribed, or what the client missed of it. */
  | { readonly kind: 'subscribed'; readonly id: string }
  | { readonly kind: 'evaluation_result'; readonly id: string; readonly result: EvaluationResult }
  /** `id` of the frame that is refused; `undefined` when the server could not read one. */
  | {
      readonly kind: 'error';
      readonly id: string | undefined;
      readonly code: FlagErrorCode;
      readonly message: string;
    }
  | { readonly kind: 'pong' };

export function encodeAnswer(answer: Answer): string {
  switch (answer.kind) {
    case 'subscribed':
      return JSON.stringify({ type: 'subscribed', id: answer.id });
    case 'evaluation_result':
      return JSON.stringify({ type: 'evaluation_result', id: answer.id, ...answer.result });
    case 'error':
      return JSON.stringify({ type: 'error', id: answer.id, code: answer.code, message: answer.message });
    case 'pong':
      return '{"type":"pong"}';
  }
}

/** The data is JSON already and goes in as it is. */
export function encodeWebSocketEvent({ event, id, data }: EventFrame): string {
  const eventId = id === undefined ? '' : `,"eventId":${JSON.stringify(id)}`;
  return `{"type":${JSON.stringify(event)}${eventId},"data":${data}}`;
}

export function encodeWebSocketPosition(id: EventId): string {
  return JSON.stringify({ type: 'position', eventId: encodeEventId(id) });
}

/** Characters around the data of an event. */
const ENVELOPE_LENGTH = 1_000;

/** `maxEventLength`: UTF-16 units of the data of one event. */
export function decodeServerFrame(
  text: string,
  maxEventLength: number = LIMITS.eventLength,
): Result<ServerFrame> {
  return attempt(() => {
    const json = readObject(readJson(text, 'The frame', maxEventLength + ENVELOPE_LENGTH), 'The frame');
    return readFrame(json, readString(json.type, 'type'));
  });
}

function readFrame(json: Json, type: string): ServerFrame {
  const id = () => readString(json.id, `${type}.id`);
  switch (type) {
    case 'subscribed':
      return { kind: 'subscribed', id: id() };
    case 'position':
      return { kind: 'position', at: readEventId(json) };
    case 'evaluation_result':
      return { kind: 'evaluation_result', id: id(), result: readResult(json, type) };
    case 'error':
      return {
        kind: 'error',
        id: readOptional(json.id, 'error.id', undefined, readString),
        code: readErrorCode(json.code),
        message: readString(json.message, 'error.message'),
      };
    case 'pong':
      return { kind: 'pong' };
    default: {
      const eventId = readOptional(json.eventId, `${type}.eventId`, undefined, readString);
      const event = { event: type, id: eventId };
      return { kind: 'message', message: readMessage(event, () => readObject(json.data, `${type}.data`)) };
    }
  }
}

function readEventId({ eventId }: Json): EventId {
  const id = decodeEventId(readString(eventId, 'position.eventId'));
  return id ?? fail('position.eventId', 'an event id (epoch.revision)', eventId);
}

/** A code that is not known here comes from a newer server; its message still says what happened. */
function readErrorCode(value: unknown): FlagErrorCode {
  return FLAG_ERROR_CODES.find((code) => code === value) ?? 'unreachable';
}

function readResult(json: Json, path: string): EvaluationResult {
  const count = (name: string) => readOptional(json[name], `${path}.${name}`, null, readCount);
  return {
    flagID: readCount(json.flagID, `${path}.flagID`),
    flagKey: readString(json.flagKey, `${path}.flagKey`),
    flagSnapshotID: readCount(json.flagSnapshotID, `${path}.flagSnapshotID`),
    segmentID: count('segmentID'),
    variantID: count('variantID'),
    variantKey: readOptional(json.variantKey, `${path}.variantKey`, null, readString),
    variantAttachment: readOptional(
      json.variantAttachment,
      `${path}.variantAttachment`,
      null,
      readAttachment,
    ),
    reason: readReason(json.reason, `${path}.reason`),
    entityID: readString(json.entityID, `${path}.entityID`),
    entityType: readString(json.entityType, `${path}.entityType`),
  };
}

/** Complete by type: a new reason does not compile until it has its line. */
const REASONS: Readonly<Record<EvaluationReason, true>> = {
  MATCH: true,
  NO_MATCH: true,
  NO_SEGMENTS: true,
  FLAG_DISABLED: true,
  FLAG_NOT_FOUND: true,
  DEPENDENCY_NOT_MET: true,
  ENTITY_ID_MISSING: true,
};

function readReason(value: unknown, path: string): EvaluationReason {
  const known = Object.keys(REASONS) as EvaluationReason[];
  return known.find((reason) => reason === value) ?? fail(path, `one of ${known.join(', ')}`, value);
}
