/** The service worker of the page: keeps it able to start offline, and brings new versions to all tabs together. */
import { registerServiceWorker } from 'flagent-offline';
import type { EventLog } from './event-log.ts';
import { sayServiceWorker } from './say-connection.ts';

export interface OfflineStart {
  /** A new version takes over every tab, and each reloads once. */
  update(): void;
  /** Looks for a new version and takes it without a question. */
  replacePage(): Promise<void>;
}

export function startOffline(log: EventLog, showUpdate: (isReady: boolean) => void): OfflineStart {
  const worker = registerServiceWorker(new URL('service-worker.js', document.baseURI), {
    onTakeover: () => location.reload(),
  });
  worker.onStatus((status) => {
    document.documentElement.dataset.serviceWorker = status.is;
    showUpdate(status.is === 'waiting');
    if (status.is !== 'active') log.add('service-worker', `Service worker: ${sayServiceWorker(status)}`);
  });
  return {
    update: () => void worker.activateUpdate(),
    async replacePage() {
      if (worker.status.is !== 'waiting') await worker.checkForUpdate();
      await worker.activateUpdate();
    },
  };
}
