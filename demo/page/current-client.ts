/** The client that the page reads from. It can be replaced while the page is open, as a reload would, without a moment of emptiness. */
import type { FlagChange, FlagClient, FlagStatus } from 'flagent-offline';

export interface CurrentClient {
  readonly now: FlagClient;
  /** Opens another client and moves to it when it holds flags. */
  replace(): Promise<void>;
}

export interface ClientListener {
  change(change: FlagChange): void;
  status(status: FlagStatus): void;
  /** Another client has taken over, with flags of its own. */
  replaced(): void;
}

/** A client without flags is moved to after this long: there may be none. */
const PATIENCE_MS = 4_000;

export function createCurrentClient(open: () => FlagClient, listener: ClientListener): CurrentClient {
  let current = listenTo(open());

  function listenTo(client: FlagClient): FlagClient {
    // The one that is on its way in, or out, is not what the page shows.
    client.subscribeAll((change) => client === current && listener.change(change));
    client.onStatus((status) => client === current && listener.status(status));
    return client;
  }

  return {
    get now() {
      return current;
    },
    async replace() {
      const next = listenTo(open());
      await next.ready({ timeoutMs: PATIENCE_MS }).catch(() => {});
      const before = current;
      current = next;
      listener.status(next.status);
      listener.replaced();
      await before.close();
    },
  };
}
