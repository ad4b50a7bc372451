/** What each chaos button does, and what it says about it in the log. */
import { createWorkerCrash, deleteDatabases } from './break-browser.ts';
import type { CurrentClient } from './current-client.ts';
import type { EventLog } from './event-log.ts';
import type { Recovery } from './recovery.ts';
import { sayDuration } from './say-time.ts';
import { deployBuild } from './worker-build.ts';
import { type NetworkState, resetWorld, setNetwork, type WorldState } from './world.ts';

export interface Faults {
  cut(): Promise<void>;
  stall(): Promise<void>;
  restore(): Promise<void>;
  crashWorker(): void;
  deploy(): Promise<void>;
  clearStorage(): Promise<void>;
  reset(): Promise<void>;
}

export interface FaultsOptions {
  readonly log: EventLog;
  readonly recovery: Recovery;
  readonly client: CurrentClient;
  readonly onWorld: (world: WorldState | undefined) => void;
  /** A crash of the worker does not touch a tab that hosts its hub itself. */
  readonly hubLivesHere: () => boolean;
  /** The next time that something is stored is news. */
  readonly onCleared: () => void;
}

export function createFaults(options: FaultsOptions): Faults {
  const { log, recovery, client, onWorld, hubLivesHere, onCleared } = options;
  const worker = createWorkerCrash(() => crashed('Another tab has crashed the shared worker'));

  function crashed(text: string): void {
    const atMs = Date.now();
    log.add('fault', text, atMs);
    if (!hubLivesHere()) recovery.began('Crash worker', atMs, 'mended');
  }

  async function changeNetwork(state: NetworkState): Promise<void> {
    // Before the answer: the tab may notice sooner than the answer comes.
    if (state !== 'restored') recovery.began(NETWORK_FAULTS[state].name, Date.now(), 'lasting');
    onWorld(await setNetwork(state));
  }

  return {
    cut: () => changeNetwork('cut'),
    stall: () => changeNetwork('stalled'),
    restore: () => changeNetwork('restored'),
    crashWorker() {
      crashed('Crash worker: the shared worker is gone without a word');
      worker.crash();
    },
    async deploy() {
      const pressedAtMs = Date.now();
      const build = deployBuild();
      log.add('fault', `New deploy: build ${build} of the worker starts beside the old one`, pressedAtMs);
      await client.replace();
      log.add('fault', `This tab has moved to build ${build}; other tabs stay until they reload`);
      recovery.began('New deploy', pressedAtMs, 'replaced');
    },
    async clearStorage() {
      const pressedAtMs = Date.now();
      const deleted = await deleteDatabases();
      onCleared();
      const took = sayDuration(Date.now() - pressedAtMs);
      const what = deleted === 1 ? 'the database was' : `${deleted} databases were`;
      log.add('fault', `Clear storage: ${what} deleted under the running hub`, pressedAtMs);
      const { size } = client.now.peekFlags();
      const how = client.now.status.connection.is === 'live' ? 'Still current' : 'Still readable';
      log.add('hub', `${how} after ${took}: ${size} flags in memory, which are being stored anew`);
    },
    async reset() {
      onWorld(await resetWorld());
    },
  };
}

export const NETWORK_FAULTS = {
  cut: { name: 'Cut', text: 'Cut: every connection was reset, and new ones are refused' },
  stalled: { name: 'Stall', text: 'Stall: connections stay open, but no byte passes' },
} as const;
