/**
 * Puts the newest flags together from what is stored: the newest intact snapshot, then every change that leads on from there, up to the
 * first gap. Damage is never an error here, and never half a state: each record names the state it leads on from.
 */
import type { IDBPDatabase, IDBPTransaction } from 'idb';
import type { Change } from '../core/model.ts';
import { type Held, reduce } from '../core/state/reduce.ts';
import type { StoredFlags } from './contract.ts';
import type { FlagDatabase } from './database.ts';
import { decodeHead, decodeLogRecord, decodeSnapshotRecord, type ReadSnapshot } from './records.ts';
import { issue } from './transaction.ts';

/** Unknown, because they come from outside: an older or newer version, or a disk that lies. */
interface Records {
  /** In order of their keys, so the newest is the last. */
  readonly snapshots: readonly unknown[];
  readonly log: readonly unknown[];
  readonly head: unknown;
}

export interface Reading {
  readonly flags: StoredFlags | undefined;
  /** The newest snapshot could not be used. */
  readonly isDamaged: boolean;
}

export async function readStored(db: IDBPDatabase<FlagDatabase>): Promise<Reading> {
  // One record that the browser cannot give any more fails the whole transaction.
  const { snapshots, log, head } = await readAtOnce(db).catch(() => readOneByOne(db));
  const [newest, ...older] = [...snapshots].reverse();
  const intact = decodeSnapshotRecord(newest);
  const isDamaged = snapshots.length > 0 && intact === undefined;
  const base = intact ?? firstIntact(older);
  if (base === undefined) return { flags: undefined, isDamaged };
  const held = applyLog(base, log);
  const flags = { held, confirmedAtMs: confirmedAtMs(held, base, head), filterKey: base.filterKey };
  return { flags, isDamaged };
}

function readAtOnce(db: IDBPDatabase<FlagDatabase>): Promise<Records> {
  return reading(db, async (tx) => {
    const [snapshots, log, head] = await Promise.all([
      tx.objectStore('snapshot').getAll(),
      tx.objectStore('log').getAll(),
      tx.objectStore('meta').get('head'),
    ]);
    return { snapshots, log, head };
  });
}

/** Rejects only when the connection itself is lost. That the records are read at different moments does no harm, since they are linked. */
async function readOneByOne(db: IDBPDatabase<FlagDatabase>): Promise<Records> {
  const readStore = async (store: 'snapshot' | 'log'): Promise<unknown[]> => {
    const keys = await reading(db, (tx) => tx.objectStore(store).getAllKeys());
    const readOne = (key: number) => reading(db, (tx) => tx.objectStore(store).get(key));
    return Promise.all(keys.map((key) => readOne(key).catch(() => undefined)));
  };
  const head = reading(db, (tx) => tx.objectStore('meta').get('head')).catch(() => undefined);
  return { snapshots: await readStore('snapshot'), log: await readStore('log'), head: await head };
}

type ReadTransaction = IDBPTransaction<FlagDatabase, ('snapshot' | 'log' | 'meta')[], 'readonly'>;

async function reading<T>(
  db: IDBPDatabase<FlagDatabase>,
  read: (tx: ReadTransaction) => Promise<T>,
): Promise<T> {
  const tx = db.transaction(['snapshot', 'log', 'meta'], 'readonly');
  // Its end interests nobody, but a rejection that nobody takes is reported as an error of the page.
  issue(tx.done);
  return read(tx);
}

function firstIntact(snapshots: readonly unknown[]): ReadSnapshot | undefined {
  for (const record of snapshots) {
    const snapshot = decodeSnapshotRecord(record);
    if (snapshot !== undefined) return snapshot;
  }
  return undefined;
}

/** All changes at once, since the map of flags is copied once per reduce. */
function applyLog(base: ReadSnapshot, log: readonly unknown[]): Held {
  const stepsByRevision = new Map<number, readonly Change[]>();
  for (const record of log) {
    const step = decodeLogRecord(record, base);
    if (step !== undefined) stepsByRevision.set(step.afterRevision, step.changes);
  }
  const steps: (readonly Change[])[] = [];
  let { revision } = base.held;
  for (;;) {
    const step = stepsByRevision.get(revision);
    const next = step?.at(-1)?.revision;
    if (step === undefined || next === undefined || next <= revision) break;
    steps.push(step);
    revision = next;
  }
  return reduce(base.held, { kind: 'batch', changes: steps.flat() }).held ?? base.held;
}

/** The head speaks of the newest state; when that one could not be put together, its confirmation says nothing about what is left. */
function confirmedAtMs(held: Held, base: ReadSnapshot, headRecord: unknown): number {
  const head = decodeHead(headRecord);
  const isOfHeld = head?.epoch === held.epoch && head.revision === held.revision;
  return isOfHeld ? head.confirmedAtMs : base.savedAtMs;
}
