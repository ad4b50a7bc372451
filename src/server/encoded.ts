/** Messages as bytes, each encoded once for all clients who get the same. */
import { FlagError } from '../core/errors.ts';
import type { Change, FlagFilter, Snapshot } from '../core/model.ts';
import { LIMITS } from '../core/protocol/limits.ts';
import { type EventFrame, encodeMessage, encodeSnapshot, type Message } from '../core/protocol/messages.ts';
import { filterKeyOf } from '../core/state/filter.ts';
import { snapshotOf } from './filtered.ts';
import type { FlagSource } from './sources/contract.ts';
import type { StreamEncoding } from './stream-encoding.ts';

/** Changes in one batch at most: a batch is far below the limits of one event, and a client shows progress between two. */
const BATCH_CHANGES = 500;
/** Snapshots kept encoded, one per filter in use; beyond it they are encoded again. */
const KEPT_SNAPSHOTS = 16;

export interface EncodedSnapshots {
  /** The body of `GET /api/v1/snapshot`. Throws `too_large`. */
  body(filter: FlagFilter | undefined): Buffer<ArrayBuffer>;
  /** The same as the event with which a stream begins. Throws `too_large`. */
  event(filter: FlagFilter | undefined, encoding: StreamEncoding): Buffer;
}

/** Encoded snapshots of the current revision; those of older ones are forgotten. */
export function createEncodedSnapshots(source: FlagSource, nowMs: () => number): EncodedSnapshots {
  const kept = new Map<string, Buffer>();
  let keptRevision = -1;

  function once<B extends Buffer>(
    name: string,
    filter: FlagFilter | undefined,
    encode: (snapshot: Snapshot) => B,
  ): B {
    if (source.revision !== keptRevision) kept.clear();
    keptRevision = source.revision;
    // Whatever has this name was made by the same `encode`.
    const found = kept.get(name) as B | undefined;
    if (found !== undefined) return found;
    const bytes = encode(snapshotOf(source, filter));
    if (kept.size >= KEPT_SNAPSHOTS) kept.clear();
    kept.set(name, bytes);
    return bytes;
  }

  return {
    body: (filter) =>
      once(`body ${filterKeyOf(filter)}`, filter, (snapshot) => {
        const text = encodeSnapshot(snapshot);
        refuseTooLarge(text);
        return Buffer.from(text);
      }),
    event: (filter, encoding) =>
      once(`${encoding.name} ${filterKeyOf(filter)}`, filter, (snapshot) => {
        const event = encodeMessage({ kind: 'snapshot', snapshot, timestampMs: nowMs() });
        refuseTooLarge(event.data);
        return encoding.events([event]);
      }),
  };
}

/** Better refused here, in words, than by every client for ever. */
function refuseTooLarge(text: string): void {
  if (text.length <= LIMITS.eventLength) return;
  throw new FlagError(
    'too_large',
    `The snapshot has ${text.length} characters; clients take ${LIMITS.eventLength}. Ask for fewer flags with flagKey or tag.`,
  );
}

/** Consecutive changes as few events: one alone as itself, more as batches. */
export function changeEvents(changes: readonly Change[]): readonly EventFrame[] {
  return batchesOf(changes).map(encodeMessage);
}

function batchesOf(changes: readonly Change[]): readonly Message[] {
  const messages: Message[] = [];
  for (let start = 0; start < changes.length; ) {
    const end = endOfBatch(changes, start);
    const [first, ...more] = changes.slice(start, end);
    if (first === undefined) break;
    messages.push(
      more.length === 0 ? { kind: 'change', change: first } : { kind: 'batch', changes: [first, ...more] },
    );
    start = end;
  }
  return messages;
}

/** The two halves of a rename stay together, so that no client sees the flag gone. */
function endOfBatch(changes: readonly Change[], start: number): number {
  const end = Math.min(start + BATCH_CHANGES, changes.length);
  const last = changes[end - 1];
  const isRename = last?.type === 'FLAG_DELETED' && changes[end]?.flagID === last.flagID;
  return isRename ? end + 1 : end;
}
