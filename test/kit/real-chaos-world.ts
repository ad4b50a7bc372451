/**
 * Real tabs of one browser against a real server behind a proxy that breaks, for one schedule; and the model: every state that the server
 * has had. What a schedule breaks of the promises is thrown by the step that showed it.
 */
import { setTimeout } from 'node:timers/promises';
import type { FlagClientOptions } from '../../src/index.ts';
import type { FaultProxy } from '../../src/testing/fault-proxy.ts';
import type { Browser, Tab } from './browser.ts';
import type { ServerHistory } from './real-chaos-history.ts';
import { createChaosPromises } from './real-chaos-promises.ts';
import type { ChaosServer } from './real-chaos-server.ts';
import type { ChaosHost, RealStep, Slot } from './real-chaos-steps.ts';
import { ensureClient } from './real-chaos-tab.ts';

export interface RealWorld {
  take(step: RealStep): Promise<void>;
  /** Looks into every tab, and throws the first promise that is broken. */
  check(): Promise<void>;
  /** Ends all faults, edits once more, and throws unless all tabs become current over one stream. */
  recover(): Promise<void>;
  closeAll(): Promise<void>;
}

export interface RealWorldOptions {
  readonly browser: Browser;
  readonly siteUrl: string;
  readonly server: ChaosServer;
  readonly proxy: FaultProxy;
  readonly history: ServerHistory;
  readonly namespace: string;
}

/** Numbers that let nothing wait for long; the policy itself stays as it is. */
const QUICK = {
  retryBaseMs: 100,
  retryCapMs: 1_000,
  silenceMs: 2_000,
  connectTimeoutMs: 2_000,
  wakeUpJitterMs: 20,
  shortLivedMs: 50,
  pollMs: 300,
  streamAgainMs: 3_000,
} as const;

/** A page that has not said a word by then has died. */
const DEAD_AFTER_MS = 2_000;

interface OpenTab {
  readonly tab: Tab;
  readonly options: FlagClientOptions;
  life: 'active' | 'frozen' | 'away';
}

export function createRealWorld(world: RealWorldOptions): RealWorld {
  const { browser, siteUrl, server, proxy, history } = world;
  const tabs = new Map<Slot, OpenTab>();
  let build = 1;
  let isSignedOut = false;

  const active = (): OpenTab[] => [...tabs.values()].filter(({ life }) => life === 'active');
  const promises = createChaosPromises({
    server,
    history,
    tabs: () => active().map(({ tab }) => tab),
    opened: () => tabs.size,
  });

  const open = async (slot: Slot, host: ChaosHost): Promise<void> => {
    if (tabs.has(slot)) return;
    const options: FlagClientOptions = {
      url: proxy.url,
      namespace: world.namespace,
      // As most users have it: where a worker cannot be had, the tab hosts a hub.
      host: host === 'tab' ? 'tab' : 'auto',
      connection: QUICK,
      // One of its own for each schedule: Firefox never starts a worker again whose process has crashed.
      worker: { url: `/lesser-worker.js?of=${world.namespace}&build=${build}` },
    };
    const tab = await browser.newTab(`${siteUrl}/`);
    tabs.set(slot, { tab, options, life: 'active' });
    await ensureClient(tab, options);
  };

  const close = async (slot: Slot): Promise<void> => {
    const open = tabs.get(slot);
    tabs.delete(slot);
    await open?.tab.close();
  };

  const crash = async (slot: Slot): Promise<void> => {
    const open = tabs.get(slot);
    if (open?.life !== 'active') return;
    await open.tab.crash();
    await close(slot);
    // A process may show more than one tab.
    for (const [other, { tab, life }] of tabs) {
      if (life !== 'frozen' && !(await answers(tab))) await close(other);
    }
  };

  /** Where no driver can kill it, the worker ends itself without a word. */
  const crashWorker = async (): Promise<void> => {
    if (browser.can.killSharedWorkers) {
      // There may be none.
      await browser.killSharedWorkers().catch(() => {});
      return;
    }
    const [any] = active();
    await any?.tab.evaluate(() => new BroadcastChannel('end of the worker').postMessage('now'));
  };

  const comeBack = async (open: OpenTab): Promise<void> => {
    await open.tab.goBack();
    open.life = 'active';
    await ensureClient(open.tab, open.options);
  };

  const thaw = async (open: OpenTab): Promise<void> => {
    await open.tab.unfreeze();
    open.life = 'active';
  };

  const reload = async ({ tab, options }: OpenTab): Promise<void> => {
    await tab.reload();
    await ensureClient(tab, options);
  };

  const leave = async (open: OpenTab): Promise<void> => {
    await open.tab.goto(`${siteUrl}/storage-lab.html`);
    open.life = 'away';
  };

  const freeze = async (open: OpenTab): Promise<void> => {
    await open.tab.freeze();
    open.life = 'frozen';
  };

  /** The call itself may fail: the network, the worker or the storage is broken just now. */
  const callClient = async ({ tab }: OpenTab, verb: 'forget' | 'refresh'): Promise<void> => {
    await tab.evaluate((name: 'forget' | 'refresh') => {
      void window.flags[name]().catch(() => {});
    }, verb);
  };

  const takeInTab = async (step: RealStep, slot: Slot): Promise<void> => {
    const open = tabs.get(slot);
    if (open === undefined) return;
    const [verb] = step;
    if (verb === 'thaw' && open.life === 'frozen') return thaw(open);
    if (verb === 'come back' && open.life === 'away') return comeBack(open);
    if (open.life !== 'active') return;
    switch (verb) {
      case 'reload':
        return reload(open);
      case 'freeze':
        return freeze(open);
      case 'leave':
        return leave(open);
      case 'delete database':
        return deleteDatabases(open.tab, world.namespace);
      case 'sign':
        await open.tab.evaluate((type: string) => window.dispatchEvent(new Event(type)), step[2]);
        return;
      case 'sign out':
        isSignedOut = true;
        return callClient(open, 'forget');
      case 'sign in':
        isSignedOut = false;
        return callClient(open, 'refresh');
    }
  };

  const take = async (step: RealStep): Promise<void> => {
    switch (step[0]) {
      case 'open':
        return open(step[1], step[2]);
      case 'close':
        return close(step[1]);
      case 'crash':
        return crash(step[1]);
      case 'crash worker':
        return crashWorker();
      case 'deploy':
        build += 1;
        return;
      case 'cut':
        return proxy.cut(step[1]);
      case 'cut after':
        return proxy.cutAfter(step[1]);
      case 'stall':
        return proxy.stall();
      case 'refuse':
        return proxy.refuse();
      case 'trickle':
        return proxy.shape({ chunkBytes: 40, delayMs: 5 });
      case 'restore':
        return proxy.restore();
      case 'server down':
        return server.stop(step[1]);
      case 'server up':
        return server.start();
      case 'edit':
        return history.edit();
      case 'burst':
        for (let left = step[1]; left > 0; left -= 1) await history.edit();
        return;
      case 'wait':
        await setTimeout(step[1]);
        return;
      default:
        return takeInTab(step, step[1]);
    }
  };

  const recover = async (): Promise<void> => {
    await server.start();
    await proxy.restore();
    for (const open of tabs.values()) {
      if (open.life === 'frozen') await thaw(open);
      if (open.life === 'away') await comeBack(open);
    }
    if (tabs.size === 0) await open(0, 'shared-worker');
    const [any] = active();
    if (isSignedOut && any !== undefined) await callClient(any, 'refresh');
    await history.edit();
    await promises.untilCurrent();
    await promises.untilNothingPends();
    await promises.check();
  };

  return {
    take,
    check: promises.check,
    recover,
    closeAll: async () => {
      for (const { tab } of tabs.values()) await tab.close().catch(() => {});
      tabs.clear();
      await server.start();
      await proxy.restore();
    },
  };
}

function answers(tab: Tab): Promise<boolean> {
  const asked = tab.evaluate(() => true).catch(() => false);
  return Promise.race([asked, setTimeout(DEAD_AFTER_MS, false)]);
}

/** Deletion waits for those who have the database open; nobody waits for it here. */
async function deleteDatabases(tab: Tab, namespace: string): Promise<void> {
  await tab.evaluate(async (part: string) => {
    for (const { name } of await indexedDB.databases()) {
      if (name?.includes(part)) indexedDB.deleteDatabase(name);
    }
  }, encodeURIComponent(namespace));
}
