/** The resync loop: brings a snapshot when changes are missing or somebody asks, one request at a time. */
import type { EventId } from '../core/model.ts';
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

/** What was true when the snapshot was asked for. */
interface Asked {
  readonly held: EventId | undefined;
  readonly filterKey: string;
}

export function createResync(connection: Connection, replica: Replica): Resync {
  let count = 0;
  let fetching: Promise<SnapshotAnswer> | undefined;

  const take = async (answer: SnapshotAnswer, asked: Asked): Promise<SnapshotAnswer> => {
    fetching = undefined;
    count += 1;
    // What the stream has brought may still be on its way to storage.
    await replica.settled();
    if (answer.ended === 'snapshot' && isOvertaken(answer.snapshot.epoch, asked)) return fetch('whole');
    if (answer.ended === 'not-modified') replica.confirm();
    if (answer.ended === 'snapshot' && !isOutrun(answer.snapshot, asked)) {
      replica.receive([{ kind: 'snapshot', snapshot: answer.snapshot, timestampMs: 0 }]);
      await replica.settled();
    }
    return answer;
  };

  /**
   * The filter has been widened since, so the answer lacks what was added; or the stream has brought another epoch. Epochs have no order:
   * the answer may be of the one that is over.
   */
  const isOvertaken = (epoch: string, asked: Asked): boolean => {
    const { held, expectedFilterKey } = replica;
    if (expectedFilterKey !== asked.filterKey) return true;
    return held !== undefined && held.epoch !== asked.held?.epoch && held.epoch !== epoch;
  };

  /** It was new when it was asked for, and the stream has brought more since. That is no server that lags. */
  const isOutrun = ({ epoch, revision }: EventId, asked: Asked): boolean => {
    const { held } = replica;
    const wasNew =
      asked.held === undefined || (asked.held.epoch === epoch && asked.held.revision <= revision);
    return wasNew && held?.epoch === epoch && revision < held.revision;
  };

  const fetch = (mode: 'whole' | 'ifChanged'): Promise<SnapshotAnswer> => {
    const asked = { held: replica.held, filterKey: replica.expectedFilterKey };
    fetching ??= connection.fetchSnapshot(mode).then((answer) => take(answer, asked));
    return fetching;
  };

  return {
    get count() {
      return count;
    },
    fetch,
    repair: async () => {
      // One that was asked for before can be older than what is missing.
      await fetching;
      const answer = await fetch('whole');
      if (answer.ended === 'snapshot') return;
      replica.stopWaiting();
      connection.dropStream(answer.ended === 'malformed' ? answer.error.message : 'changes are missing');
    },
  };
}
