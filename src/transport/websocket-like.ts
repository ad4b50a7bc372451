/** The part of `WebSocket` that the transport uses: what pages, workers, Node 22 and the package `ws` all have, and small enough to fake. */

export interface WebSocketLike {
  /** The subprotocol that the server has chosen; empty for none. */
  readonly protocol: string;
  // `never`: whatever events a platform hands over, its handlers fit; those set here look only at `data`, `code` and `reason`.
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  /** Drops the text without a word when the socket is closing. */
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (address: string, protocols: string[]) => WebSocketLike;
