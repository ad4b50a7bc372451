/** What goes wrong around the browser of a chaos world: the server, the way to it, storage and the clock. One action each. */
import type { ChaosServer } from './chaos-server.ts';
import type { ChaosStorage } from './chaos-storage.ts';
import type { FakeSystem } from './fake-system.ts';

export interface ChaosFaultsOptions {
  readonly server: ChaosServer;
  readonly store: ChaosStorage;
  readonly system: FakeSystem;
  /** With a filter nothing tells that a change is missing, so one is lost only with its stream. */
  readonly isFiltered: boolean;
  readonly onWiped: () => void;
}

/** What becomes of an edit on its way to the browser. */
type Fate = 'arrives' | 'twice' | 'lost' | 'garbled';

export function createChaosFaults({ server, store, system, isFiltered, onWiped }: ChaosFaultsOptions) {
  const { flags } = server;
  return {
    edit: (key: string, how: 'update' | 'delete', fate: Fate) => {
      const change = flags.edit(key, how);
      if (fate === 'lost' && isFiltered) server.cut();
      if (flags.isBehind || fate === 'lost') return;
      if (fate === 'garbled') server.sendGarbage();
      else server.send(...(fate === 'twice' ? [change, change] : [change]));
    },
    burst: (edits: number) => {
      const changes = Array.from({ length: edits }, (_, n) => flags.edit('abc'.charAt(n % 3), 'update'));
      if (!flags.isBehind) server.send(...changes);
    },
    cut: () => server.cut(),
    /** Connections stay open, and nothing gets through. */
    stall: () => server.setNetwork('stalls'),
    refuse: () => {
      server.setNetwork('refuses');
      server.cut();
    },
    restore: () => server.setNetwork('works'),
    snapshots: server.setSnapshots,
    restart: (how: 'without a word' | 'bye') => {
      if (how === 'bye') server.send({ kind: 'bye', retryAfterMs: 2_000, reason: 'restart' });
      server.cut();
    },
    'new epoch': (streams: 'cut' | 'stay open') => {
      flags.startNewEpoch();
      if (streams === 'cut') server.cut();
    },
    'truncate log': () => flags.truncate(),
    /** Streams move to a replica that lags. */
    'fall behind': (by: number) => {
      flags.fallBehind(by);
      server.cut();
    },
    'catch up': () => server.send(...flags.catchUp()),
    'expire token': () => server.expireToken(),
    'clear storage': async () => {
      await store.clear();
      onWiped();
    },
    'break storage': () => store.setBroken(true),
    'mend storage': () => store.setBroken(false),
    jump: (ms: number) => system.jump(ms),
    sleep: (ms: number) => system.sleep(ms),
  };
}
