/** The resync loop: brings a snapshot when changes are missing or somebody asks, one request at a time. */
import type { SnapshotAnswer } from '../transport/contract.ts';
import type { Connection } from './connection.ts';
import type { Replica } from './replica.ts';

export interface Resync {
  /** Snapshots asked for so far. */
  readonly count: number;
  /** Settles when the answer is stored and shown. `ifChanged`: a server that has nothing newer says so. */
  fetch(mode: 'whole' | 'ifChanged'): Promise<SnapshotAnswer>;
  /** Changes are missing. When no snapshot comes, the stream is dropped: the next one, after a delay, brings what is missing. */
  repair(): Promise<void>;
}

export function createResync(connection: Connection, replica: Replica): Resync {
  let count = 0;
  let fetching: Promise<SnapshotAnswer> | undefined;

  const take = async (answer: SnapshotAnswer): Promise<SnapshotAnswer> => {
    fetching = undefined;
    count += 1;
    if (answer.ended === 'not-modified') replica.confirm();
    if (answer.ended === 'snapshot') {
      replica.receive([{ kind: 'snapshot', snapshot: answer.snapshot, timestampMs: 0 }]);
      await replica.settled();
    }
    return answer;
  };

  const fetch = (mode: 'whole' | 'ifChanged'): Promise<SnapshotAnswer> => {
    fetching ??= connection.fetchSnapshot(mode).then(take);
    return fetching;
  };

  return {
    get count() {
      return count;
    },
    fetch,
    repair: async () => {
      const answer = await fetch('whole');
      if (answer.ended === 'snapshot') return;
      replica.stopWaiting();
      connection.dropStream(answer.ended === 'malformed' ? answer.error.message : 'changes are missing');
    },
  };
}
