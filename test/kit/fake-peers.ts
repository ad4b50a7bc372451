/** The BroadcastChannel of one scope: what one hub posts, the others hear in a later turn, as a copy, in the order of posting. */
import type { PeerChannel, PeerMessage } from '../../src/hub/peers.ts';

export interface FakePeers {
  /** `run` decides when the agent hears; at once without it. */
  open(run?: (task: () => void) => void): FakePeerChannel;
  /** Everything that was posted, in order. */
  readonly posted: readonly PeerMessage[];
}

export interface FakePeerChannel extends PeerChannel {
  /** A hub that hangs hears nothing; what was said to it waits. */
  setDeaf(isDeaf: boolean): void;
  /** The agent is gone: it neither hears nor speaks. */
  die(): void;
}

/** More than any test needs; hubs that answer each other for ever would otherwise hang it. */
const MOST_POSTS = 20_000;

export function createFakePeers(): FakePeers {
  const channels = new Set<{ hear(message: PeerMessage): void }>();
  const posted: PeerMessage[] = [];

  const open: FakePeers['open'] = (run = (task) => task()) => {
    let listener: (message: PeerMessage) => void = () => {};
    let isDeaf = false;
    let missed: PeerMessage[] = [];
    const self = {
      hear: (message: PeerMessage) => {
        if (!channels.has(self)) return;
        if (isDeaf) missed.push(message);
        else run(() => channels.has(self) && listener(message));
      },
    };
    channels.add(self);
    return {
      post: (message) => {
        if (!channels.has(self)) return;
        if (posted.length >= MOST_POSTS) throw new Error('The hubs do not stop talking.');
        const copy = structuredClone(message);
        posted.push(copy);
        for (const other of channels) {
          if (other !== self) queueMicrotask(() => other.hear(structuredClone(copy)));
        }
      },
      onMessage: (next) => {
        listener = next;
      },
      setDeaf: (deaf) => {
        isDeaf = deaf;
        if (deaf) return;
        const waiting = missed;
        missed = [];
        for (const message of waiting) self.hear(message);
      },
      die: () => void channels.delete(self),
      close: () => void channels.delete(self),
    };
  };

  return { open, posted };
}
