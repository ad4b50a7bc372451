/** Tells of the network between page and flag server, whoever has changed it: this tab, another one, or the demo's server by its end. */
import type { EventLog } from './event-log.ts';
import { NETWORK_FAULTS } from './faults.ts';
import type { Recovery } from './recovery.ts';
import type { WorldState } from './world.ts';

export interface NetworkNews {
  show(next: WorldState | undefined): void;
}

export function createNetworkNews(log: EventLog, recovery: Recovery): NetworkNews {
  let before: WorldState['network'] | 'unknown' | 'no server' = 'unknown';

  return {
    show(next) {
      const now = next?.network ?? 'no server';
      if (now === before) return;
      const isStart = before === 'unknown';
      before = now;
      if (next === undefined) {
        log.add('fault', 'The demo server does not answer');
        return;
      }
      const { networkSinceMs: atMs } = next;
      if (next.network !== 'restored') {
        const { name, text } = NETWORK_FAULTS[next.network];
        log.add('fault', text, atMs);
        recovery.began(name, atMs, 'lasting');
      } else if (!isStart) {
        log.add('fault', 'Restore: everything passes again', atMs);
        recovery.mended('Restore', atMs, next.revision);
        // A device says so when it finds a network again; a proxy on this machine cannot.
        dispatchEvent(new Event('online'));
      }
    },
  };
}
