/** Whether the tabs of a chaos world show what the server holds now, over a stream that lives. */
import { isDeepStrictEqual } from 'node:util';
import { seenThrough } from './chaos-filters.ts';
import { nameOf } from './chaos-moments.ts';
import { isOrphan } from './chaos-promises.ts';
import type { ChaosServer } from './chaos-server.ts';
import type { ChaosTab } from './chaos-tab.ts';

export function createChaosCurrency(tabs: ReadonlyMap<unknown, ChaosTab>, server: ChaosServer) {
  const { flags } = server;

  const isCurrent = ({ held, filter, flags: shown }: ChaosTab): boolean => {
    if (held?.epoch !== flags.now.epoch) return false;
    // A filter leaves revisions out.
    if (filter === undefined && held.revision !== flags.now.revision) return false;
    const truth = flags.at(flags.now) ?? new Map();
    return isDeepStrictEqual(seenThrough(filter, shown), seenThrough(filter, truth));
  };

  const areAllCurrent = (which: (tab: ChaosTab) => boolean): boolean => {
    const meant = [...tabs.values()].filter(which);
    const isStreaming = server.open.some(
      ({ agent, isLive, isStalled }) => isLive && !isStalled && !isOrphan(agent),
    );
    return meant.length === 0 || (isStreaming && meant.every(isCurrent));
  };

  const describe = (): string =>
    [...tabs.values()].map(({ name, held }) => `${name}: ${held ? nameOf(held) : 'nothing'}`).join(', ');

  return { areAllCurrent, describe };
}
