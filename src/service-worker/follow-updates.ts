/** The service worker's half of an update: it takes over when the page says so, never by itself. The page's half is `registerServiceWorker`. */

/**
 * A new version waits until a page asks for it (`activateUpdate()` there, or any Workbox page: the message is
 * `{ type: 'SKIP_WAITING' }`), then takes over every tab at once. The first version controls the open tabs as soon as it is installed.
 *
 * The sender gets `{ ok: true }` on the port that came with its message, so it can tell this service worker from one
 * that does not listen.
 */
export function followUpdates(self: ServiceWorkerGlobalScope): void {
  self.addEventListener('message', (event) => {
    if (!isSkipWaiting(event.data)) return;
    // Not awaited before the answer: skipWaiting settles only after requests in flight have ended.
    event.waitUntil(self.skipWaiting());
    event.ports[0]?.postMessage({ ok: true });
  });

  self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
}

function isSkipWaiting(message: unknown): boolean {
  return (
    typeof message === 'object' && message !== null && 'type' in message && message.type === 'SKIP_WAITING'
  );
}
