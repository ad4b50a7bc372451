/** What a hub needs of the world around it to share one stream with hubs of other versions and hosts. */

export interface StreamClaim {
  /** The lock is ours; it may come much later, when the present holder has gone. */
  readonly onHeld: () => void;
  /** The browser has taken the lock or the place in the queue away: another hub has stolen it, or the page was put to sleep. */
  readonly onLost: () => void;
}

/** `queue`: wait for the present holder. `steal`: take it from a holder that does not answer; it hears `onLost` when it wakes. */
export type ClaimStream = (claim: StreamClaim, how: 'queue' | 'steal') => { release(): void };
