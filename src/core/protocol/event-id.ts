/** `epoch.revision`: the name of one state of one server history, on the wire and in storage. */
import type { EventId } from '../model.ts';

/** An epoch is 1–64 letters, digits, `_` or `-`; the revision is a whole number from 0. Anything else is not an event id. */
const EVENT_ID = /^([\w-]{1,64})\.(0|[1-9]\d{0,15})$/;

export function encodeEventId(id: EventId): string {
  return `${id.epoch}.${id.revision}`;
}

export function decodeEventId(text: string | null | undefined): EventId | undefined {
  const match = EVENT_ID.exec(text ?? '');
  if (match === null) return undefined;
  const [, epoch = '', digits = ''] = match;
  const revision = Number(digits);
  return Number.isSafeInteger(revision) ? { epoch, revision } : undefined;
}
