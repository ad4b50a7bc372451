/**
 * Every commit to every stream of every transport: encoded once per filter and encoding in use, written to all, waiting for none.
 *
 *   source ──commit──► changes within each filter ──one Buffer per encoding──► all streams with that filter
 */
import type { EventId, FlagFilter } from '../core/model.ts';
import { encodeMessage } from '../core/protocol/messages.ts';
import { filterKeyOf } from '../core/state/filter.ts';
import { changeEvents, createEncodedSnapshots, type EncodedSnapshots } from './encoded.ts';
import { changesWithin } from './filtered.ts';
import type { FlagSource, RecordedChange } from './sources/contract.ts';
import { oncePerEncoding, type StreamEncoding } from './stream-encoding.ts';

/** Where the bytes of one stream go. The smallest part of a response or socket that is needed. */
export interface StreamSink {
  /** `flushed` is called when these bytes have left the process. */
  write(bytes: Buffer, flushed?: () => void): void;
  /** Bytes written and not yet sent. */
  readonly queuedBytes: number;
  /** Sends the last bytes, then ends the stream in order. */
  end(bytes: Buffer): void;
  /** Cuts the stream now. */
  destroy(): void;
}

export interface StreamWish {
  readonly filter: FlagFilter | undefined;
  /** The state that the client holds. */
  readonly after: EventId | undefined;
  readonly encoding: StreamEncoding;
}

export interface FanOut {
  /** Bytes that bring a client up to date, to be attached with in the same step. Throws `too_large`. */
  firstBytes(wish: StreamWish): { readonly bytes: Buffer; readonly isResumed: boolean };
  /** Writes `first` (may be empty) and then every commit. The returned function detaches; call it when the client is gone. */
  attach(wish: StreamWish, sink: StreamSink, first: Buffer): () => void;
  readonly streams: number;
  /** Says `bye` to all, each with its own time to come back, ends them, and hears no more commits. */
  drain(reason: string): void;
}

export interface FanOutOptions {
  readonly source: FlagSource;
  readonly snapshots?: EncodedSnapshots;
  readonly keepAliveIntervalMs: number;
  readonly maxQueuedBytes: number;
  readonly drainSpreadMs: number;
  readonly nowMs: () => number;
}

interface Stream {
  readonly filter: FlagFilter | undefined;
  readonly encoding: StreamEncoding;
  readonly sink: StreamSink;
  /** Bytes of the first write while they are queued: a large snapshot does not make a client slow. */
  allowanceBytes: number;
}

export function createFanOut(options: FanOutOptions): FanOut {
  const { source, maxQueuedBytes } = options;
  const snapshots = options.snapshots ?? createEncodedSnapshots(source, options.nowMs);
  const streamsByFilter = new Map<string, Set<Stream>>();
  let streams = 0;

  const stopWatching = source.watch(broadcast);
  const beating = setInterval(beat, options.keepAliveIntervalMs);
  beating.unref();

  function broadcast(commit: readonly RecordedChange[]): void {
    for (const group of [...streamsByFilter.values()]) {
      const [first] = group;
      const changes = changesWithin(first?.filter, commit);
      if (changes.length === 0) continue;
      const events = changeEvents(changes);
      const bytesIn = oncePerEncoding((encoding) => encoding.events(events));
      for (const stream of [...group]) send(stream, bytesIn(stream.encoding));
    }
  }

  function beat(): void {
    const bytesIn = oncePerEncoding(position);
    for (const stream of all()) send(stream, bytesIn(stream.encoding));
  }

  /** Everything up to here has been written to every stream: commits are sent as they happen. */
  function position(encoding: StreamEncoding): Buffer {
    const { epoch, revision } = source;
    return encoding.position({ epoch, revision });
  }

  function send(stream: Stream, bytes: Buffer): void {
    if (stream.sink.queuedBytes > maxQueuedBytes + stream.allowanceBytes) {
      detach(stream);
      stream.sink.destroy();
    } else {
      stream.sink.write(bytes);
    }
  }

  function detach(stream: Stream): void {
    const name = filterKeyOf(stream.filter);
    const group = streamsByFilter.get(name);
    if (group?.delete(stream) !== true) return;
    streams -= 1;
    if (group.size === 0) streamsByFilter.delete(name);
  }

  function all(): readonly Stream[] {
    return [...streamsByFilter.values()].flatMap((group) => [...group]);
  }

  return {
    firstBytes({ filter, after, encoding }) {
      const missed = after === undefined ? 'snapshot-needed' : source.since(after);
      if (missed === 'snapshot-needed') return { bytes: snapshots.event(filter, encoding), isResumed: false };
      const changes = encoding.events(changeEvents(changesWithin(filter, missed)));
      return { bytes: Buffer.concat([changes, position(encoding)]), isResumed: true };
    },
    attach({ filter, encoding }, sink, first) {
      const stream: Stream = { filter, encoding, sink, allowanceBytes: first.length };
      const name = filterKeyOf(filter);
      const group = streamsByFilter.get(name) ?? new Set();
      streamsByFilter.set(name, group.add(stream));
      streams += 1;
      if (first.length > 0) {
        sink.write(first, () => {
          stream.allowanceBytes = 0;
        });
      }
      return () => detach(stream);
    },
    get streams() {
      return streams;
    },
    drain(reason) {
      stopWatching();
      clearInterval(beating);
      for (const stream of all()) {
        detach(stream);
        // Each at another time, so that the next server is not met by all at once.
        const retryAfterMs = Math.round(Math.random() * options.drainSpreadMs);
        stream.sink.end(stream.encoding.events([encodeMessage({ kind: 'bye', retryAfterMs, reason })]));
      }
    },
  };
}
