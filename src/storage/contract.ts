/** What a store keeps of one namespace: the flags, their age, and who may write. It decides nothing about flags. */
import type { Change } from '../core/model.ts';
import type { Held } from '../core/state/reduce.ts';

export interface StoredFlags {
  readonly held: Held;
  /** When a server last confirmed these flags, milliseconds since 1970. */
  readonly confirmedAtMs: number;
  /** The filter they were replicated with, as text; empty for none. */
  readonly filterKey: string;
}

/** What was written, for the bench and the trace. */
export interface Written {
  /** UTF-16 units of text written. */
  readonly length: number;
}

export interface FlagStore {
  readonly kind: 'persistent' | 'memory';
  /** The newest flags that can be put together from what is stored, whatever is damaged; `undefined` when there are none. */
  load(): Promise<StoredFlags | undefined>;
  /**
   * Begins a new term of leadership; writes of every earlier term are refused from now on. What is loaded after it is the last that they left.
   * `above`: the term of a leader that was heard of; storage that was deleted meanwhile must not give it out once more. Default 0.
   */
  lead(above?: number): Promise<number>;
  /** Replaces everything. Rejects with `superseded` when the term is over. */
  saveSnapshot(held: Held, facts: SnapshotFacts): Promise<Written>;
  /**
   * Appends changes that lead to `held`. Writes all of `held` instead when they do not lead there from what is stored, or when the log
   * has outgrown its snapshot. Rejects with `superseded` when the term is over.
   */
  appendChanges(changes: readonly Change[], held: Held, facts: SnapshotFacts): Promise<Written>;
  /** Notes that the server has confirmed what is stored. */
  confirm(facts: WriteFacts): Promise<void>;
  /** Wipes the namespace. With a term: rejects with `superseded` when that is over, and what was stored since stays. */
  clear(asLeader?: { readonly term: number }): Promise<void>;
  close(): void;
}

export interface WriteFacts {
  /** From `lead`. */
  readonly term: number;
  readonly nowMs: number;
}

export interface SnapshotFacts extends WriteFacts {
  readonly filterKey: string;
}
