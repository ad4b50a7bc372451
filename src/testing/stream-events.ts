/** The events of a flag stream as text: bodies for the scripted server, to be sent whole, cut or mangled. */
import type { Change, ChangeType, EventId, Flag } from '../core/model.ts';
import { encodeMessage } from '../core/protocol/messages.ts';
import { encodeSseEvent, encodeSsePosition } from '../core/protocol/sse-frame.ts';

/** The epoch of all events that name none. */
const EPOCH = 'scripted';

/** All flags at this revision. */
export function snapshotEvent(revision: number, flags: readonly Flag[], epoch = EPOCH): string {
  const snapshot = { epoch, revision, flags };
  return encodeSseEvent(encodeMessage({ kind: 'snapshot', snapshot, timestampMs: 0 }));
}

/** One flag's new state. `FLAG_DELETED` sends its key only. */
export function changeEvent(
  revision: number,
  flag: Flag,
  { epoch = EPOCH, type = 'FLAG_UPDATED' }: { readonly epoch?: string; readonly type?: ChangeType } = {},
): string {
  const change: Change = {
    type,
    epoch,
    revision,
    timestampMs: 0,
    flagID: flag.id,
    flagKey: flag.key,
    flag: type === 'FLAG_DELETED' ? null : flag,
  };
  return encodeSseEvent(encodeMessage({ kind: 'change', change }));
}

/** The server is about to close on purpose and wants to be left alone this long. */
export function byeEvent(retryAfterMs: number): string {
  return encodeSseEvent(encodeMessage({ kind: 'bye', retryAfterMs, reason: 'scripted' }));
}

/** A heartbeat: a comment, and where the stream stands. */
export function heartbeat(revision: number, epoch: EventId['epoch'] = EPOCH): string {
  return encodeSsePosition({ epoch, revision });
}

/** The bytes in pieces of this size, by default 1: every character beyond ASCII is split. */
export function splitText(text: string, pieceBytes = 1): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  return Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
    bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  );
}
