/**
 * Where flags live, behind one contract. A source holds all flags in memory for reading and makes every edit durable before
 * anyone hears of it. Reads are synchronous on purpose: who reads and watches in one step misses nothing and gets nothing twice.
 */
import type { Change, ChangeType, EventId } from '../../core/model.ts';
import type { FlagRecord, LastIDs } from '../record.ts';

/** All flags as they are now. A view, not a copy: read it and let go. */
export interface Catalogue {
  /** By id, ascending; archived ones too. */
  readonly records: ReadonlyMap<number, FlagRecord>;
  /** Ids of tags by their value. */
  readonly tags: ReadonlyMap<string, number>;
  readonly lastIDs: LastIDs;
  /** The flag with this key that is not archived; there is at most one. */
  byKey(key: string): FlagRecord | undefined;
}

/** One flag's new state. Its revision, `snapshotID` and `updatedAt` are set by the source. */
export interface Write {
  readonly record: FlagRecord;
  /** The kind of change when the flag lives before and after under one key; else it follows from the records. */
  readonly type: ChangeType;
  readonly segmentID?: number;
}

/** What an edit has decided: nothing is written yet. */
export interface Plan<T> {
  /** At most one per flag; one that changes nothing is left out by the source. */
  readonly writes: readonly Write[];
  readonly lastIDs: LastIDs;
  /** Called right after the commit, with what is then true. */
  answer(now: Catalogue): T;
}

/** A change in the log, with what is needed to see whether the flag was inside a filter before it. */
export interface RecordedChange {
  readonly change: Change;
  /** Values of the flag's tags before the change; `undefined` when there was no such flag. */
  readonly previousTags: readonly string[] | undefined;
}

export interface FlagSource {
  /** Names this history; another epoch means that nothing a client holds can be continued. Changes only where a source outlives its store. */
  readonly epoch: string;
  /** Grows by one with each change; 0 when nothing has happened yet. */
  readonly revision: number;
  readonly catalogue: Catalogue;
  /** The changes after `after`, oldest first, none missing; or that they are not all here, and only a snapshot helps. */
  since(after: EventId): readonly RecordedChange[] | 'snapshot-needed';
  /**
   * Runs `decide` on the current flags and commits its plan, all or nothing. What `decide` throws rejects the promise, and nothing is
   * written. `decide` may be called again when another process was faster.
   */
  edit<T>(decide: (catalogue: Catalogue) => Plan<T>): Promise<T>;
  /**
   * Hears the changes of each commit, in order, when they are durable and readable; and that a new epoch has begun, when the new catalogue
   * can be read: all that was heard before is then void. The returned function stops both.
   */
  watch(listener: (commit: readonly RecordedChange[]) => void, onNewEpoch?: () => void): () => void;
  /** Why the flags cannot be edited now, or may be old, in words for the operator: the store behind it is out of reach. `undefined`: all is well. */
  readonly problem: string | undefined;
  /** Idempotent; edits afterwards reject with `closed`. */
  close(): Promise<void>;
}
