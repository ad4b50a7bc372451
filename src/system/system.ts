/** The only reader of clock, chance and ids for everything that runs in a browser. Passed in, so that tests decide what time it is. */

export interface System {
  /** Milliseconds since 1970: for people and for the wire. It jumps when somebody or something sets the clock. */
  nowMs(): number;
  /** Milliseconds since some moment; never jumps. Everything that waits or measures runs on it. */
  elapsedMs(): number;
  /** From 0 up to but not 1. */
  random(): number;
  /** A new id, unique for ever. */
  newId(): string;
  /** Calls once after the delay, or after 24 days when that is sooner; the returned function takes it back. */
  after(delayMs: number, call: () => void): () => void;
}

/** Browsers take a longer delay for none at all. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function createSystem(): System {
  return {
    nowMs: () => Date.now(),
    elapsedMs: () => performance.now(),
    random: () => Math.random(),
    newId,
    after: (delayMs, call) => {
      const timer = setTimeout(call, Math.min(delayMs, LONGEST_TIMER_MS));
      return () => clearTimeout(timer);
    },
  };
}

/** `crypto.randomUUID` is missing on insecure origins; `getRandomValues` is not. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
