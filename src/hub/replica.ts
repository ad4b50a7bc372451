/**
 * What the hub holds, and the one way it changes: messages → reduce → commit → show. One step at a time; what arrives during a commit
 * waits and is then taken as one. A gap fetches a snapshot; nothing that came meanwhile is lost.
 */
import { FlagError } from '../core/errors.ts';
import type { Change, EventId, FlagFilter } from '../core/model.ts';
import type { Message } from '../core/protocol/messages.ts';
import { filterKeyOf } from '../core/state/filter.ts';
import { judgePosition } from '../core/state/position.ts';
import { type Held, reduce } from '../core/state/reduce.ts';
import type { HubStatus } from '../core/state/status.ts';
import { applyUpdate, patchOf, type Update } from '../core/state/update.ts';
import type { FlagStore, SnapshotFacts, StoredFlags } from '../storage/contract.ts';
import type { System } from '../system/system.ts';
import type { Trace } from '../system/trace.ts';
import { groupChanges } from './group-changes.ts';
import { isSnapshot, readyMessages } from './waiting-messages.ts';

export interface ReplicaOptions {
  readonly store: FlagStore;
  readonly system: Pick<System, 'nowMs'>;
  readonly trace: Trace;
  /** The flags have changed and are stored; hand them on. */
  readonly onUpdate: (update: Update) => void;
  /** Changes are missing: bring a snapshot by `receive`. Asked again only after `receive` or `stopWaiting`. */
  readonly onNeedSnapshot: () => void;
  /** What is held has been confirmed; its age is new. */
  readonly onConfirmed: () => void;
  /** The server holds an older state of the same epoch: a replica that lags, or a backup that was restored. */
  readonly onServerBehind: (serverRevision: number) => void;
  /** Another hub has begun a newer term. */
  readonly onSuperseded: () => void;
}

export interface Replica {
  readonly held: Held | undefined;
  readonly source: 'none' | 'storage' | 'server';
  /** When a server last confirmed what is held. */
  readonly confirmedAtMs: number | undefined;
  readonly counts: { readonly refused: number; readonly unknown: number; readonly writtenLength: number };
  /** The filter of what is held, as text; empty for none. */
  readonly filterKey: string;
  /** Something was held that was made with a filter: two tabs can hold the same revision and not the same flags. */
  readonly hasBeenFiltered: boolean;
  /** False when something is held that storage does not have: its leader keeps nothing, or a write has failed. */
  readonly isStored: boolean;
  /** Reads what is stored; shows it when it is newer than what is held, or of the given epoch when another one is held. */
  load(epoch?: string): Promise<void>;
  /** Begins a term in storage: writes of every earlier one are refused from now on. */
  beginTerm(above: number): Promise<number>;
  /** From now on this replica may write. */
  lead(term: number): void;
  /** From now on it follows: what it has received and not yet written is for the next leader to bring. */
  stopLeading(): void;
  /** Takes over what another replica has committed, where it follows what is held. `isStored`: it lies in storage. */
  follow(update: Update, facts: { readonly filterKey: string; readonly isStored: boolean }): void;
  /**
   * False when the leader has only storage's word for another epoch than the one that is held: it may be the older one. What it holds
   * counts as soon as the server has confirmed it.
   */
  isSure(leader: HubStatus): boolean;
  /** True when the leader holds something that this replica does not: a newer state, or one made with another filter. */
  isBehind(leader: HubStatus, itsFilterKey: string): boolean;
  /** Source and age as the leader knows them, for what both hold. */
  adopt(leader: HubStatus): void;
  receive(messages: readonly Message[]): void;
  /** A snapshot did not come: what waited for it is dropped, because the next stream brings one. */
  stopWaiting(): void;
  /** The server says that it has sent everything up to this state. */
  notePosition(id: EventId): void;
  /** An event was lost on the way, so what is held may miss a change. */
  distrust(): void;
  /** The server has said that nothing is newer than what is held. */
  confirm(): void;
  /** All that is held, as one update. */
  whole(): Update;
  /** The filter that the coming messages are made with, as text. */
  readonly expectedFilterKey: string;
  /** The filter that the coming messages are made with; those that wait are dropped. */
  setFilter(filter: FlagFilter | undefined): void;
  /** True when what is held was replicated with the present filter, so that a stream may go on from it. */
  isResumable(): boolean;
  /** What is stored may be gone. Stores what is held anew, when the server has confirmed it. */
  storageLost(): void;
  /** Lets go of everything held and under way. What is stored stays. */
  drop(): Promise<void>;
  /**
   * Wipes what this replica stores as leader. Refused when its term is over: whoever was asked to forget has ended it and wipes, and what
   * is stored since belongs to those who signed in again.
   */
  wiper(): () => Promise<void>;
  /** Settles when everything received so far is stored and shown. */
  settled(): Promise<void>;
}

interface CommitFacts {
  readonly isWhole: boolean;
  readonly applied: readonly Change[];
  /** The filter that the messages were made with. */
  readonly made: string;
}

/** The store is told at most this often that nothing has changed. */
const CONFIRM_EVERY_MS = 60_000;

export function createReplica(options: ReplicaOptions): Replica {
  const { store, system, trace, onUpdate, onNeedSnapshot, onConfirmed, onServerBehind, onSuperseded } =
    options;
  let held: Held | undefined;
  let heldFilterKey = '';
  let hasBeenFiltered = false;
  let filterKey = '';
  let source: Replica['source'] = 'none';
  let confirmedAtMs: number | undefined;
  let confirmStoredAtMs = 0;
  /** Absent as long as this replica follows. */
  let term: number | undefined;
  /** What is held lies in storage, so that changes can be appended to it. */
  let isStored = false;
  let queue: readonly Message[] = [];
  let working: Promise<void> | undefined;
  let isWaiting = false;
  /** Something was lost while a snapshot was on its way, which may be older than that. */
  let isWaitingInVain = false;
  /** Counts what was let go of: what was being read from storage meanwhile belongs to it. */
  let drops = 0;
  let wholeNow: { readonly of: Held; readonly update: Update } | undefined;
  const counts = { refused: 0, unknown: 0, writtenLength: 0 };

  const work = async (): Promise<void> => {
    while (queue.length > 0 && !(isWaiting && !queue.some(isSnapshot))) {
      const messages = takeReady();
      await step(messages);
      if (isWaitingInVain && !isWaiting) distrust();
    }
  };

  const takeReady = (): readonly Message[] => {
    const waiting = queue;
    queue = [];
    if (!isWaiting) return waiting;
    isWaiting = false;
    const { messages, isDoubtful } = readyMessages(waiting, held?.epoch);
    isWaitingInVain ||= isDoubtful;
    return messages;
  };

  const step = async (messages: readonly Message[]): Promise<void> => {
    const before = held;
    // Only everything that comes from now on is made with a filter that may be set meanwhile.
    const made = filterKey;
    let next = held;
    let isWhole = false;
    const applied: Change[] = [];
    const groups = groupChanges(messages);
    for (const [index, message] of groups.entries()) {
      if (message.kind === 'unknown') counts.unknown += 1;
      const reduced = reduce(next, message, made !== '');
      counts.refused += reduced.refused;
      if (message.kind === 'snapshot' && reduced.refused > 0) onServerBehind(message.snapshot.revision);
      isWhole ||= message.kind === 'snapshot' && reduced.held !== next;
      if (message.kind === 'snapshot' && reduced.held !== next) applied.length = 0;
      for (const change of reduced.applied) applied.push(change);
      next = reduced.held;
      if (reduced.need === 'snapshot') {
        queue = [...groups.slice(index), ...queue];
        isWaiting = true;
        break;
      }
    }
    if (next !== undefined && next !== before) await commit(before, next, { isWhole, applied, made });
    if (isWaiting) {
      trace('hub', 'gap', { epoch: held?.epoch, revision: held?.revision });
      onNeedSnapshot();
    }
  };

  const commit = async (
    before: Held | undefined,
    next: Held,
    { isWhole, applied, made }: CommitFacts,
  ): Promise<void> => {
    if (term === undefined) return;
    const nowMs = system.nowMs();
    const changes = isWhole || before === undefined || !isStored ? undefined : applied;
    const written = await write(next, { term, nowMs, filterKey: made }, changes);
    if (written === 'superseded') return;
    isStored = written === 'written';
    // Shown also when the store has failed: a broken one must not keep a flag from the tabs.
    held = next;
    noteFilter(made);
    source = 'server';
    confirmedAtMs = nowMs;
    confirmStoredAtMs = nowMs;
    onUpdate(isWhole || before === undefined ? whole() : patchOf(before, next, applied));
  };

  /** `applied`: the changes that lead there; without them everything is written. */
  const write = async (
    next: Held,
    facts: SnapshotFacts,
    applied: readonly Change[] | undefined,
  ): Promise<'written' | 'failed' | 'superseded'> => {
    try {
      const { length } =
        applied === undefined
          ? await store.saveSnapshot(next, facts)
          : await store.appendChanges(applied, next, facts);
      counts.writtenLength += length;
      trace('storage', 'committed', { revision: next.revision, length });
      return 'written';
    } catch (error) {
      trace('storage', 'refused', { reason: String(error) });
      if (!isSuperseded(error)) return 'failed';
      resign();
      return 'superseded';
    }
  };

  const resign = (): void => {
    term = undefined;
    onSuperseded();
  };

  const pump = (): void => {
    working ??= work().finally(workOn);
  };

  const workOn = (): void => {
    working = undefined;
    if (queue.length > 0 && !(isWaiting && !queue.some(isSnapshot))) pump();
  };

  const whole = (): Update => {
    if (held === undefined) return { kind: 'empty' };
    if (wholeNow?.of !== held) {
      const { epoch, revision, flags } = held;
      const update = {
        kind: 'all',
        epoch,
        revision,
        flagsJson: JSON.stringify([...flags.values()]),
      } as const;
      wholeNow = { of: held, update };
    }
    return wholeNow.update;
  };

  const isNewer = (stored: StoredFlags, epoch: string | undefined): boolean => {
    if (held === undefined) return true;
    if (held.epoch !== stored.held.epoch) return stored.held.epoch === epoch;
    return isLater(stored.held.revision, stored.filterKey);
  };

  /** Within the epoch that is held. */
  const isLater = (revision: number, itsFilterKey: string): boolean =>
    held === undefined ||
    held.revision < revision ||
    (held.revision === revision && heldFilterKey !== itsFilterKey);

  const noteFilter = (key: string): void => {
    heldFilterKey = key;
    hasBeenFiltered ||= key !== '';
  };

  const distrust = (): void => {
    isWaitingInVain = isWaiting;
    if (isWaiting) return;
    isWaiting = true;
    onNeedSnapshot();
  };

  const stopWaiting = (): void => {
    isWaiting = false;
    isWaitingInVain = false;
    queue = [];
  };

  /** A leader before this one could not store what is held. Said to be stored only when it is. */
  const storeHeld = async (unstored: Held, facts: SnapshotFacts): Promise<void> => {
    const written = await write(unstored, facts, undefined);
    if (written !== 'written' || held !== unstored) return;
    isStored = true;
    onConfirmed();
  };

  const storeAnew = (): void => {
    if (held === undefined || term === undefined || confirmedAtMs === undefined) return;
    const facts = { term, nowMs: confirmedAtMs, filterKey: heldFilterKey };
    const unstored = held;
    working ??= storeHeld(unstored, facts).finally(workOn);
  };

  const confirm = (): void => {
    if (held === undefined) return;
    source = 'server';
    confirmedAtMs = system.nowMs();
    onConfirmed();
    if (term === undefined) return;
    if (!isStored) {
      storeAnew();
      return;
    }
    if (confirmedAtMs - confirmStoredAtMs < CONFIRM_EVERY_MS) return;
    confirmStoredAtMs = confirmedAtMs;
    store.confirm({ term, nowMs: confirmedAtMs }).catch((error: unknown) => {
      trace('storage', 'refused', { reason: String(error) });
      if (isSuperseded(error)) resign();
    });
  };

  return {
    get held() {
      return held;
    },
    get source() {
      return source;
    },
    get confirmedAtMs() {
      return confirmedAtMs;
    },
    counts,
    get expectedFilterKey() {
      return filterKey;
    },
    get filterKey() {
      return heldFilterKey;
    },
    get hasBeenFiltered() {
      return hasBeenFiltered;
    },
    get isStored() {
      return held === undefined || isStored;
    },
    load: async (epoch) => {
      const dropsBefore = drops;
      const stored = await store.load();
      if (drops !== dropsBefore || stored === undefined || !isNewer(stored, epoch)) return;
      held = stored.held;
      isStored = true;
      noteFilter(stored.filterKey);
      confirmedAtMs = stored.confirmedAtMs;
      source = 'storage';
      trace('storage', 'loaded', { epoch: held.epoch, revision: held.revision, flags: held.flags.size });
      onUpdate(whole());
    },
    // The time, because terms of a store that was deleted may live on in a hub that hangs and was never heard of.
    beginTerm: (above) => store.lead(Math.max(above, Math.floor(system.nowMs()))),
    lead: (begun) => {
      term = begun;
    },
    stopLeading: () => {
      term = undefined;
      stopWaiting();
    },
    follow: (update, facts) => {
      if (update.kind === 'empty') return;
      const { epoch, revision } = update;
      if (held?.epoch === epoch && !isLater(revision, facts.filterKey)) return;
      const flags = applyUpdate(held, update);
      if (flags === 'gap' || flags === 'old') return;
      held = { epoch, revision, flags, isFiltered: facts.filterKey !== '' };
      noteFilter(facts.filterKey);
      isStored = facts.isStored;
      onUpdate(update);
    },
    isSure: ({ epoch, source: itsSource }) =>
      held === undefined || epoch === held.epoch || itsSource === 'server',
    isBehind: ({ epoch, revision }, itsFilterKey) =>
      epoch !== undefined &&
      revision !== undefined &&
      (held?.epoch !== epoch || isLater(revision, itsFilterKey)),
    adopt: (leader) => {
      if (held === undefined || held.epoch !== leader.epoch || held.revision !== leader.revision) return;
      source = leader.source;
      confirmedAtMs = leader.confirmedAtMs;
    },
    receive: (messages) => {
      // An answer that comes when another hub leads already is for that one to bring.
      if (term === undefined) return;
      queue = [...queue, ...messages];
      pump();
    },
    stopWaiting,
    notePosition: (position) => {
      // While something is on its way to storage the answer would be about the past; the next heartbeat asks again.
      if (held === undefined || working !== undefined || isWaiting) return;
      const verdict = judgePosition(held, position);
      if (verdict === 'current') confirm();
      if (verdict === 'lost') distrust();
      if (verdict === 'behind') onServerBehind(position.revision);
    },
    distrust,
    confirm,
    whole,
    setFilter: (filter) => {
      filterKey = filterKeyOf(filter);
      // Made with the filter before; the next stream begins with everything.
      stopWaiting();
    },
    isResumable: () => held !== undefined && heldFilterKey === filterKey,
    storageLost: () => {
      isStored = false;
      storeAnew();
    },
    drop: async () => {
      drops += 1;
      stopWaiting();
      await working;
      held = undefined;
      source = 'none';
      confirmedAtMs = undefined;
      onUpdate({ kind: 'empty' });
    },
    wiper: () => {
      const itsTerm = term;
      return async () => {
        if (itsTerm !== undefined) await store.clear({ term: itsTerm });
      };
    },
    settled: async () => {
      await working;
    },
  };
}

function isSuperseded(error: unknown): boolean {
  return error instanceof FlagError && error.code === 'superseded';
}
