/** The hubs of one scope reach each other over a BroadcastChannel. */
import { channelName } from '../core/state/scope.ts';
import type { PeerChannel, PeerMessage } from '../hub/peers.ts';

export function openPeerChannel(scope: string): PeerChannel {
  if (typeof BroadcastChannel === 'undefined')
    return { post: () => {}, onMessage: () => {}, close: () => {} };
  const channel = new BroadcastChannel(channelName(scope));
  let isClosed = false;
  return {
    post: (message) => {
      // A closed channel throws; work that was under way when the hub was closed may still want to speak.
      if (!isClosed) channel.postMessage(message);
    },
    onMessage: (listener) => {
      channel.onmessage = ({ data }) => {
        if (isPeerMessage(data)) listener(data);
      };
    },
    close: () => {
      isClosed = true;
      channel.close();
    },
  };
}

/** Other builds post here too; what is not understood is left alone. */
function isPeerMessage(value: unknown): value is PeerMessage {
  const { type, protocol, from } = Object(value) as { type?: unknown; protocol?: unknown; from?: unknown };
  return typeof type === 'string' && typeof protocol === 'number' && typeof from === 'string';
}
