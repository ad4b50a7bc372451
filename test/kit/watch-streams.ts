/** The promise of one stream, as the server sees it: samples how many streams live, for as long as a scenario lasts. */
import { setTimeout } from 'node:timers/promises';

export interface StreamWatch {
  /** The longest time for which every sample showed more streams than are allowed, milliseconds. */
  readonly longestMs: number;
  stop(): Promise<void>;
}

const SAMPLE_EVERY_MS = 40;

/** A server that is down has no streams, so a failed sample counts as none. */
export function watchStreams(
  server: { health(): Promise<{ readonly streams: number }> },
  allowed = 1,
): StreamWatch {
  const stopped = new AbortController();
  let longestMs = 0;
  const watching = (async () => {
    let sinceMs: number | undefined;
    while (!stopped.signal.aborted) {
      const { streams } = await server.health().catch(() => ({ streams: 0 }));
      const nowMs = performance.now();
      sinceMs = streams > allowed ? (sinceMs ?? nowMs) : undefined;
      if (sinceMs !== undefined) longestMs = Math.max(longestMs, nowMs - sinceMs);
      await setTimeout(SAMPLE_EVERY_MS);
    }
  })();
  return {
    get longestMs() {
      return longestMs;
    },
    stop: () => {
      stopped.abort();
      return watching;
    },
  };
}
