/** A transport that also tells the trace what the wire brings, for `watch --trace`; the connection machine tells what it makes of it. */
import type { System } from '../system/system.ts';
import type { Trace } from '../system/trace.ts';
import type { SnapshotAnswer, StreamEnd, StreamListener, Transport } from '../transport/contract.ts';

/** A shorter pause between bytes is no news. */
const SILENCE_TOLD_FROM_MS = 1_000;

export function traceTransport(
  transport: Transport,
  system: Pick<System, 'elapsedMs'>,
  trace: Trace,
): Transport {
  return {
    async stream(request, listener) {
      const traced = traceListener(listener, system, trace);
      const end = await transport.stream(request, traced.listener);
      trace('stream', 'ended', { how: end.ended, ...factsOf(end), silentMs: traced.silentMs() });
      return end;
    },
    async fetchSnapshot(request) {
      const answer = await transport.fetchSnapshot(request);
      trace('snapshot', 'answered', { how: answer.ended, ...factsOf(answer) });
      return answer;
    },
  };
}

function traceListener(listener: StreamListener, system: Pick<System, 'elapsedMs'>, trace: Trace) {
  let lastByteAtMs = system.elapsedMs();
  const silentMs = (): number => Math.round(system.elapsedMs() - lastByteAtMs);
  const traced: StreamListener = {
    ...listener,
    opened: () => {
      trace('stream', 'accepted', { afterMs: silentMs() });
      lastByteAtMs = system.elapsedMs();
      listener.opened();
    },
    alive: () => {
      const pauseMs = silentMs();
      lastByteAtMs = system.elapsedMs();
      if (pauseMs >= SILENCE_TOLD_FROM_MS) trace('stream', 'bytes', { silentMs: pauseMs });
      listener.alive();
    },
    quiet: () => {
      trace('stream', 'quiet', { reason: 'this server sends no heartbeats' });
      listener.quiet();
    },
    position: (id) => {
      trace('stream', 'position', { epoch: id.epoch, revision: id.revision });
      listener.position(id);
    },
    received: (messages) => {
      for (const message of messages) {
        if (message.kind === 'bye')
          trace('stream', 'bye', { reason: message.reason, retryAfterMs: message.retryAfterMs });
      }
      listener.received(messages);
    },
    retry: (delayMs) => {
      trace('stream', 'retry hint', { delayMs });
      listener.retry(delayMs);
    },
  };
  return { listener: traced, silentMs };
}

/** Never the flags themselves. */
function factsOf(end: StreamEnd | SnapshotAnswer): Readonly<Record<string, unknown>> {
  switch (end.ended) {
    case 'refused':
      return {
        status: end.status,
        ...(end.retryAfterMs !== undefined && { retryAfterMs: end.retryAfterMs }),
      };
    case 'wrong-content':
      return { contentType: end.contentType };
    case 'failed':
    case 'malformed':
      return { reason: end.error.message };
    case 'snapshot':
      return { revision: end.snapshot.revision };
    case 'closed':
    case 'aborted':
    case 'not-modified':
      return {};
  }
}
