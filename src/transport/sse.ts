/** The stream of flag changes as server-sent events over `fetch`. It runs in pages, workers and Node, and retries nothing. */
import { decodeEventId, encodeEventId } from '../core/protocol/event-id.ts';
import { LIMITS } from '../core/protocol/limits.ts';
import { decodeMessage, type Message } from '../core/protocol/messages.ts';
import type { System } from '../system/system.ts';
import type { StreamEnd, StreamListener, Transport } from './contract.ts';
import type { FetchLike } from './fetch-like.ts';
import { exchange, fromNetwork, limitDelayMs, mediaType, refusal } from './request.ts';
import { fetchSnapshot } from './snapshot.ts';
import { createSseReader, type SseItem } from './sse-reader.ts';

export interface SseTransportOptions {
  /** `globalThis.fetch`, or a fake. */
  readonly fetch: FetchLike;
  /** The clock, for a `Retry-After` that is a date. */
  readonly system: Pick<System, 'nowMs'>;
  /** UTF-16 units of one event and of one snapshot. Default `LIMITS.eventLength`. */
  readonly maxEventLength?: number;
}

/**
 * Server-sent events as one transport. A listener that throws ends its stream as `failed` with code `closed`: the state it
 * keeps can no longer be trusted, and silence would hide the fault.
 */
export function createSseTransport({
  fetch,
  system,
  maxEventLength = LIMITS.eventLength,
}: SseTransportOptions): Transport {
  return {
    stream: (request, listener) => {
      const headers = {
        accept: 'text/event-stream',
        'last-event-id': request.after && encodeEventId(request.after),
      };
      return exchange<StreamEnd>(
        fetch,
        { request, path: '/api/v1/events/stream', headers },
        async (response, signal) => {
          // 204 included: the caller knows that it means "stay away".
          if (response.status !== 200) return refusal(response, system);
          const contentType = mediaType(response);
          if (contentType !== 'text/event-stream') return { ended: 'wrong-content', contentType };
          const body = response.body?.getReader();
          if (body === undefined) return { ended: 'closed' };
          listener.opened();
          return follow({
            readChunk: () => fromNetwork(() => body.read(), request.url, signal),
            signal,
            listener,
            maxEventLength,
          });
        },
      );
    },
    fetchSnapshot: (request) => fetchSnapshot({ fetch, system, maxLength: maxEventLength }, request),
  };
}

interface Followed {
  readonly readChunk: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  readonly signal: AbortSignal;
  readonly listener: StreamListener;
  readonly maxEventLength: number;
}

/** How a stock Flagent server begins every stream. It sends no heartbeat. */
const STOCK_GREETING = 'connected';

async function follow({ readChunk, signal, listener, maxEventLength }: Followed): Promise<StreamEnd> {
  const reader = createSseReader({ maxEventLength });
  let hasEvent = false;
  for (;;) {
    const { done, value } = await readChunk();
    if (done) return { ended: 'closed' };
    if (value === undefined) continue;
    listener.alive();
    const items = reader.read(value);
    const event = items.find((item) => item.kind === 'event');
    if (!hasEvent && event?.frame.event === STOCK_GREETING) listener.quiet();
    hasEvent ||= event !== undefined;
    const end = handOver(items, listener, signal);
    if (end !== undefined) return end;
  }
}

/** Tells the listener what one chunk brought: messages between two faults in one call, so that a burst is stored and shown at once. */
function handOver(
  items: readonly SseItem[],
  listener: StreamListener,
  signal: AbortSignal,
): StreamEnd | undefined {
  let messages: Message[] = [];
  const flush = (): void => {
    if (messages.length > 0) listener.received(messages);
    messages = [];
  };
  for (const item of items) {
    const message = item.kind === 'event' ? decodeMessage(item.frame) : undefined;
    if (message?.ok) {
      messages.push(message.value);
      continue;
    }
    if (item.kind === 'comment') continue;
    flush();
    // The listener may have stopped the stream meanwhile; then it hears nothing more.
    if (signal.aborted) return undefined;
    if (message !== undefined) listener.malformed(message.error);
    const position = item.kind === 'position' ? decodeEventId(item.id) : undefined;
    if (position !== undefined) listener.position(position);
    if (item.kind === 'retry') listener.retry(limitDelayMs(item.delayMs));
    if (item.kind === 'too-large') {
      listener.malformed(item.error);
      return { ended: 'failed', error: item.error };
    }
  }
  if (!signal.aborted) flush();
  return undefined;
}
