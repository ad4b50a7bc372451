/** The service worker of the demo: three parts of the package, and every build of the flag worker from storage. */
import { followUpdates, keepShell, passStream, type ShellFile } from 'flagent-offline/service-worker';

declare const self: ServiceWorkerGlobalScope;
/** Put in by `build-site.ts`. */
declare const FLAG_SERVER_URL: string;
declare const SHELL_FILES: readonly ShellFile[];

const FLAG_WORKER = 'flag-worker.js';

passStream(self, { url: FLAG_SERVER_URL });
keepShell(self, { precache: SHELL_FILES, neverFallback: [/^\/__demo\//] });
followUpdates(self);

/** All builds are the same file; `?v=2` must not keep the page from starting offline. */
self.addEventListener('fetch', (event) => {
  if (!new URL(event.request.url).pathname.endsWith(`/${FLAG_WORKER}`)) return;
  const kept = caches.match(FLAG_WORKER, { ignoreSearch: true });
  event.respondWith(kept.then((response) => response ?? fetch(event.request)));
});
