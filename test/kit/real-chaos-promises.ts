/** What must hold in real chaos at every moment and after all faults: looks into the tabs and the server, and throws what is broken. */
import { setTimeout } from 'node:timers/promises';
import type { Tab } from './browser.ts';
import type { ServerHistory } from './real-chaos-history.ts';
import type { ChaosServer } from './real-chaos-server.ts';
import { lookAt, type SeenState, type TabLook } from './real-chaos-tab.ts';

export interface ChaosPromises {
  /** One stream, and every tab shows what the server had and never goes back. */
  check(): Promise<void>;
  /** All tabs show what the server has, know of each other, and share one stream. */
  untilCurrent(): Promise<void>;
  /** No hub waits for a tab, or keeps one that is gone. */
  untilNothingPends(): Promise<void>;
}

export interface ChaosWatched {
  readonly server: ChaosServer;
  readonly history: ServerHistory;
  /** Those that can be asked. */
  readonly tabs: () => readonly Tab[];
  /** How many there are. */
  readonly opened: () => number;
}

/**
 * The server may need this long to learn that a stream was closed: three engines share the machine here, so it is longer than in the
 * scenarios (250 ms), which have it for themselves. What stands between does not add to it: a proxy that stalls holds back the end of the
 * old stream, but the next one too, and when it lets go both arrive together.
 */
const LEARNS_OF_CLOSE_WITHIN_MS = 1_000;
/** From the end of all faults until every tab is current. */
const RECOVERS_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 50;

export function createChaosPromises({ server, history, tabs, opened }: ChaosWatched): ChaosPromises {
  const debugAll = (): Promise<readonly HubLook[]> => Promise.all(tabs().map(debug));

  const look = async (): Promise<readonly TabLook[]> => {
    const { longestOverlapMs } = server;
    if (longestOverlapMs > LEARNS_OF_CLOSE_WITHIN_MS) {
      const traces = (await debugAll()).map(({ trace }) => trace);
      throw new Error(
        `The server had more than one stream for ${Math.round(longestOverlapMs)} ms.\n${traces.join('\n')}`,
      );
    }
    const looks: TabLook[] = [];
    for (const tab of tabs()) {
      const seen = await lookAt(tab);
      if (seen === undefined) continue;
      const wrong = [...seen.broken, ...seen.seen.flatMap((state) => history.unknown(state) ?? [])];
      if (wrong.length > 0) throw new Error(`A tab ${wrong.join('; ')}. It says ${seen.status}`);
      looks.push(seen);
    }
    return looks;
  };

  const isCurrent = (state: SeenState | undefined): boolean =>
    state?.revision === history.now.revision && state.digest === history.now.digest;

  return {
    check: async () => {
      await look();
    },
    untilCurrent: async () => {
      const deadlineMs = Date.now() + RECOVERS_WITHIN_MS;
      for (;;) {
        const looks = await look();
        const { streams } = await server.health();
        if (streams === 1 && looks.every(({ now, tabs: known }) => isCurrent(now) && known === opened()))
          return;
        if (Date.now() > deadlineMs) {
          const shown = looks.map(
            ({ now, status }) => `${isCurrent(now) ? 'current' : 'NOT current'} ${status}`,
          );
          const traces = (await debugAll()).map(({ trace }) => trace);
          throw new Error(
            `${RECOVERS_WITHIN_MS} ms after the faults the server has revision ${history.now.revision} and ` +
              `${streams} streams, and of ${opened()} tabs:\n${[...shown, ...traces].join('\n')}`,
          );
        }
        await setTimeout(LOOK_EVERY_MS);
      }
    },
    untilNothingPends: async () => {
      const deadlineMs = Date.now() + RECOVERS_WITHIN_MS;
      for (;;) {
        const wrong = (await debugAll()).filter(({ busy, listed }) => busy > 0 || listed > opened());
        if (wrong.length === 0) return;
        if (Date.now() > deadlineMs) throw new Error(`A hub has calls pending: ${JSON.stringify(wrong)}`);
        await setTimeout(LOOK_EVERY_MS);
      }
    },
  };
}

interface HubLook {
  /** Tabs whose receipt for a delivery has not come. */
  readonly busy: number;
  readonly listed: number;
  readonly trace: string;
}

function debug(tab: Tab): Promise<HubLook> {
  return tab.evaluate(async () => {
    const answer = await window.flags.debug().catch((error: unknown) => String(error));
    if (typeof answer === 'string') return { busy: 1, listed: 0, trace: answer };
    return {
      busy: answer.tabs.filter(({ isBusy }) => isBusy).length,
      listed: answer.tabs.length,
      trace: `hub ${answer.bootId}:\n${answer.trace
        .slice(-30)
        .map((entry) => JSON.stringify(entry))
        .join('\n')}`,
    };
  });
}
