/** Hosts hubs in this tab, for browsers without a SharedWorker that works. A Web Lock elects the tab that streams; the others follow it. */
import { createSystem } from '../system/system.ts';
import { createHubHost, type HubHost } from './hub-host.ts';
import { serveTab } from './serve-tab.ts';

export interface TabHostDoor {
  /** As the port of a SharedWorker. */
  readonly port: MessagePort;
  /** The last one out closes the hubs at once: a page on its way into the back/forward cache must not take the stream with it. */
  leave(): void;
}

let host: HubHost | undefined;
let guests = 0;

/** All clients of a page share one host. */
export function enterTabHost(): TabHostDoor {
  host ??= createHubHost({ system: createSystem(), runsIn: 'tab' });
  guests += 1;
  const { port1, port2 } = new MessageChannel();
  const endAttachments = serveTab(port2, host);
  let isInside = true;
  return {
    port: port1,
    leave: () => {
      if (!isInside) return;
      isInside = false;
      guests -= 1;
      endAttachments();
      port2.close();
      if (guests > 0) return;
      host?.close();
      host = undefined;
    },
  };
}
