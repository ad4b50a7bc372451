/** The faults of the bench: how each is made, and what the user sees of it. One entry per fault. */
import { CAPABILITIES } from '../kit/capabilities.ts';
import type { EngineName } from '../kit/engines.ts';
import type { ChaosHost } from '../kit/real-chaos-steps.ts';
import { edit, type FaultStage, startNotingClient, takeLeader, untilQuiet } from './fault-tabs.ts';

/** Of the watchdog in `half-open`, where its default of 40 s would be all that is measured. */
const SILENCE_MS = 2_000;

export interface Fault {
  readonly name: string;
  readonly seen: string;
  readonly hosts: readonly ChaosHost[];
  readonly engines: readonly EngineName[];
  readonly silenceMs?: number;
  /** Makes the fault, and whatever has to follow. `atMs`: when it happened; `endedAtMs`: when the tabs could be current again, if later. */
  make(
    stage: FaultStage,
  ): Promise<{ readonly atMs: number; readonly endedAtMs?: number; readonly revision?: number }>;
}

/** The fault with a promised number. */
export const WORKER_CRASH = 'worker crashed';

const BOTH: readonly ChaosHost[] = ['shared-worker', 'tab'];
const ALL: readonly EngineName[] = ['chromium', 'firefox', 'webkit'];

export const FAULTS: readonly Fault[] = [
  {
    name: 'tab with the worker, or leading tab, closed',
    seen: 'nothing; another tab streams',
    hosts: BOTH,
    engines: ALL,
    async make(stage) {
      const leader = await takeLeader(stage);
      const atMs = Date.now();
      await leader.close();
      return { atMs };
    },
  },
  {
    name: 'tab with the worker, or leading tab, crashed',
    seen: 'nothing in the other tabs; another one streams',
    hosts: BOTH,
    // Firefox has four processes for the tabs of a site, so that others crash with it; WebKit's driver cannot.
    engines: ['chromium'],
    async make(stage) {
      const leader = await takeLeader(stage);
      const atMs = Date.now();
      await leader.crash();
      return { atMs };
    },
  },
  {
    name: WORKER_CRASH,
    seen: 'the status says `connecting` for a moment; a new worker starts',
    hosts: ['shared-worker'],
    engines: ALL,
    async make({ browser, tabs }) {
      if (CAPABILITIES[browser.name as EngineName].evaluateInSharedWorker) {
        const atMs = Date.now();
        await browser.killSharedWorkers();
        return { atMs };
      }
      // No driver kills it here, so it ends itself without a word.
      const atMs = await tabs[0]?.evaluate(() => {
        new BroadcastChannel('end of the worker').postMessage('now');
        return Date.now();
      });
      return { atMs: atMs ?? 0 };
    },
  },
  {
    name: 'server killed and started again',
    seen: 'the status says when the next attempt is; flags stay; current after the server is back',
    hosts: BOTH,
    engines: ALL,
    async make({ server }) {
      const atMs = Date.now();
      await server.stop('SIGKILL');
      await server.start();
      return { atMs, endedAtMs: Date.now() };
    },
  },
  {
    name: 'connection reset',
    seen: 'the status says `waiting` until the first attempt, at most a second later',
    hosts: BOTH,
    engines: ALL,
    async make({ proxy }) {
      const atMs = Date.now();
      proxy.cut('reset');
      return { atMs };
    },
  },
  {
    name: `connection half-open (watchdog ${SILENCE_MS / 1_000} s instead of 40 s)`,
    seen: 'old flags, called current until the watchdog barks; then as after a reset',
    hosts: BOTH,
    engines: ALL,
    silenceMs: SILENCE_MS,
    async make(stage) {
      const atMs = Date.now();
      stage.proxy.stall();
      const revision = await edit(stage.server);
      await stage.tabs[0]?.waitFor(() => window.noted.leftLiveAtMs !== undefined);
      await stage.proxy.restore();
      return { atMs, revision };
    },
  },
  {
    name: 'last tab of an old build reloads onto a new worker',
    seen: 'nothing; the new worker takes the stream over',
    hosts: ['shared-worker'],
    engines: ALL,
    async make(stage) {
      const options = {
        ...stage.options,
        worker: { url: `/lesser-worker.js?next=${stage.options.namespace}` },
      };
      const [last, ...others] = stage.tabs;
      for (const tab of others) {
        await tab.reload();
        await startNotingClient(tab, options);
      }
      await untilQuiet(stage);
      const atMs = Date.now();
      await last?.reload();
      if (last !== undefined) await startNotingClient(last, options);
      return { atMs };
    },
  },
];
