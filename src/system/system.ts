/** The only reader of clock, chance and ids for everything that runs in a browser. Passed in, so that tests decide what time it is. */

export interface System {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** From 0 up to but not 1. */
  random(): number;
  /** A new id, unique for ever. */
  newId(): string;
  /** Calls once after the delay; the returned function takes it back. */
  after(delayMs: number, call: () => void): () => void;
}

export function createSystem(): System {
  return {
    nowMs: () => Date.now(),
    random: () => Math.random(),
    newId,
    after: (delayMs, call) => {
      const timer = setTimeout(call, delayMs);
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
