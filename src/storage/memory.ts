/** A store for browsers that keep nothing: private windows, blocked or broken IndexedDB. Lives as long as the hub. */
import type { FlagStore, SnapshotFacts, StoredFlags, Written } from './contract.ts';
import { refuseOtherTerm } from './fencing.ts';

export function createMemoryStore(): FlagStore {
  let stored: StoredFlags | undefined;
  let currentTerm: number | undefined;

  const enter = (term: number): void => {
    refuseOtherTerm(term, currentTerm);
    currentTerm = term;
  };
  const keep = async (held: StoredFlags['held'], facts: SnapshotFacts): Promise<Written> => {
    enter(facts.term);
    stored = { held, confirmedAtMs: facts.nowMs, filterKey: facts.filterKey };
    return { length: 0 };
  };

  return {
    kind: 'memory',
    load: async () => stored,
    lead: async (above = 0) => {
      currentTerm = Math.max(currentTerm ?? 0, above) + 1;
      return currentTerm;
    },
    saveSnapshot: keep,
    appendChanges: (_changes, held, facts) => keep(held, facts),
    confirm: async ({ term, nowMs }) => {
      enter(term);
      if (stored !== undefined) stored = { ...stored, confirmedAtMs: nowMs };
    },
    clear: async (asLeader) => {
      if (asLeader !== undefined) enter(asLeader.term);
      stored = undefined;
    },
    close: () => {},
  };
}
