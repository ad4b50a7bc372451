/** Keeps one stream open until it is told to stop: backs off, resumes where it was, starts over when something is missing. */
import { backoffDelayMs } from '../core/connection/backoff.ts';
import type { Held } from '../core/state/reduce.ts';
import type { System } from '../system/system.ts';
import { type Follow, readStream } from './read-stream.ts';
import { refuseForGood } from './stream-end.ts';

/** Settles when the signal fires. Rejects with `unauthorized`, `not_found` or `unreachable` when trying again is of no use. */
export async function followStream(follow: Follow): Promise<void> {
  const { system, policy, request, onConnection } = follow;
  const { signal, url } = request;
  let held: Held | undefined;
  let mustStartOver = false;
  let failures = 0;
  while (!signal.aborted) {
    onConnection(`connecting to ${url}`);
    const stream = await readStream(follow, held, mustStartOver ? undefined : held);
    ({ held, mustStartOver } = stream);
    if (signal.aborted) return;
    refuseForGood(stream.end, request);
    failures = stream.livedMs >= policy.resetAfterMs ? 1 : failures + 1;
    const delayMs = backoffDelayMs({
      attempt: failures,
      baseMs: policy.retryBaseMs,
      capMs: policy.retryCapMs,
      random: system.random(),
      floorMs: stream.floorMs,
    });
    onConnection(`not connected: ${stream.reason}; next attempt in ${(delayMs / 1000).toFixed(1)} s`);
    await pause(system, delayMs, signal);
  }
}

/** Over after the delay, or when the signal fires. */
function pause(system: Pick<System, 'after'>, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = system.after(delayMs, done);
    signal.addEventListener('abort', done);
  });
}
