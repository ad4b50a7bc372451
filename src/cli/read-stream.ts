/** One stream from its request to its end: messages are applied as they come, silence and gaps end it. */
import type { ConnectionPolicy } from '../core/connection/policy.ts';
import type { Message } from '../core/protocol/messages.ts';
import { type Held, type Reduced, reduce } from '../core/state/reduce.ts';
import type { System } from '../system/system.ts';
import type { ServerRequest, StreamEnd, StreamListener, Transport } from '../transport/contract.ts';
import { reasonOfEnd } from './stream-end.ts';

export interface Follow {
  readonly transport: Pick<Transport, 'stream'>;
  readonly system: Pick<System, 'nowMs' | 'random' | 'after'>;
  readonly policy: ConnectionPolicy;
  /** Its signal ends everything. */
  readonly request: Omit<ServerRequest, 'after'>;
  /** A message that changed or confirmed what is held. */
  readonly onReduced: (reduced: Reduced, message: Message) => void;
  /** What the connection does, in words. */
  readonly onConnection: (words: string) => void;
}

export interface StreamOutcome {
  readonly end: StreamEnd;
  /** Why it ended, in words. */
  readonly reason: string;
  readonly livedMs: number;
  /** What the server wants to pass before the next attempt. */
  readonly floorMs: number;
  readonly held: Held | undefined;
  /** What is held may miss something: ask for a snapshot. */
  readonly mustStartOver: boolean;
}

/** What one stream has brought so far; changed only by its listener. */
interface Progress {
  held: Held | undefined;
  openedAtMs: number | undefined;
  floorMs: number;
  mustStartOver: boolean;
}

/** `after` is what the server shall go on from: what is held, or nothing for a fresh start. Never rejects. */
export async function readStream(
  follow: Follow,
  before: Held | undefined,
  after: Held | undefined,
): Promise<StreamOutcome> {
  const { transport, system, policy, request } = follow;
  const progress: Progress = { held: before, openedAtMs: undefined, floorMs: 0, mustStartOver: false };
  const stop = new AbortController();
  let ownReason: string | undefined;
  const stopBecause = (reason: string): void => {
    ownReason ??= reason;
    stop.abort();
  };
  const watchdog = createWatchdog(system, stopBecause);
  request.signal.addEventListener('abort', () => stop.abort(), { once: true, signal: stop.signal });
  watchdog.expect('no answer', policy.connectTimeoutMs);

  const listener = createListener(follow, progress, { watchdog, stopBecause });
  const end = await transport.stream({ ...request, after, signal: stop.signal }, listener);
  watchdog.stop();
  stop.abort();
  const { openedAtMs, floorMs, ...result } = progress;
  return {
    ...result,
    end,
    reason: ownReason ?? reasonOfEnd(end),
    livedMs: openedAtMs === undefined ? 0 : system.nowMs() - openedAtMs,
    floorMs: Math.max(floorMs, (end.ended === 'refused' && end.retryAfterMs) || 0),
  };
}

function createListener(
  { system, policy, request, onReduced, onConnection }: Follow,
  progress: Progress,
  { watchdog, stopBecause }: { watchdog: Watchdog; stopBecause: (reason: string) => void },
): StreamListener {
  const isFiltered = request.filter !== undefined;
  const startOver = (reason: string): void => {
    progress.mustStartOver = true;
    stopBecause(reason);
  };
  const retry = (delayMs: number): void => {
    progress.floorMs = Math.max(progress.floorMs, delayMs);
  };
  return {
    opened() {
      progress.openedAtMs = system.nowMs();
      onConnection('live');
      watchdog.expect('silence', policy.silenceMs);
    },
    alive: () => watchdog.expect('silence', policy.silenceMs),
    received(messages) {
      for (const message of messages) {
        if (message.kind === 'bye') retry(message.retryAfterMs);
        const reduced = reduce(progress.held, message, isFiltered);
        progress.held = reduced.held;
        const isNews = message.kind === 'snapshot' ? reduced.refused === 0 : reduced.applied.length > 0;
        if (isNews) onReduced(reduced, message);
        if (reduced.need === 'snapshot') return startOver('a change is missing, starting over');
      }
    },
    position({ epoch, revision }) {
      const { held } = progress;
      const isAhead =
        held !== undefined && (held.epoch !== epoch || (revision > held.revision && !isFiltered));
      if (isAhead) startOver('a change is missing, starting over');
    },
    malformed: (error) => startOver(`the server sent something wrong: ${error.message}`),
    retry,
  };
}

interface Watchdog {
  expect(missing: string, withinMs: number): void;
  stop(): void;
}

/** One timer that is always set anew. */
function createWatchdog(system: Follow['system'], bark: (reason: string) => void): Watchdog {
  let cancel = (): void => {};
  return {
    expect(missing, withinMs) {
      cancel();
      cancel = system.after(withinMs, () => bark(`${missing} for ${withinMs / 1000} s`));
    },
    stop: () => cancel(),
  };
}
