/**
 * What the hub holds, and the one way it changes: messages → reduce → commit → show. One step at a time; what arrives during a commit
 * waits and is then taken as one. A gap fetches a snapshot; nothing that came meanwhile is lost.
 */
import { FlagError } from '../core/errors.ts';
import type { Change, EventId, FlagFilter } from '../core/model.ts';
import type { Message } from '../core/protocol/messages.ts';
import { filterKeyOf } from '../core/state/filter.ts';
import { type Held, reduce } from '../core/state/reduce.ts';
import { patchOf, type Update } from '../core/state/update.ts';
import type { FlagStore, SnapshotFacts } from '../storage/contract.ts';
import type { System } from '../system/system.ts';
import type { Trace } from '../system/trace.ts';
import { groupChanges } from './group-changes.ts';

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
  /** Reads what is stored; shows it when it is newer than what is held. */
  load(): Promise<void>;
  /** Begins a term: from now on this replica may write. */
  lead(): Promise<void>;
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
  /** The filter that the coming messages are made with. */
  setFilter(filter: FlagFilter | undefined): void;
  /** True when what is held was replicated with the present filter, so that a stream may go on from it. */
  isResumable(): boolean;
  /** Lets go of everything held and under way. What is stored stays. */
  drop(): Promise<void>;
  /** Settles when everything received so far is stored and shown. */
  settled(): Promise<void>;
}

/** The store is told at most this often that nothing has changed. */
const CONFIRM_EVERY_MS = 60_000;

export function createReplica(options: ReplicaOptions): Replica {
  const { store, system, trace, onUpdate, onNeedSnapshot, onConfirmed, onServerBehind, onSuperseded } =
    options;
  let held: Held | undefined;
  let heldFilterKey = '';
  let filterKey = '';
  let source: Replica['source'] = 'none';
  let confirmedAtMs: number | undefined;
  let confirmStoredAtMs = 0;
  /** Absent as long as this replica follows. */
  let term: number | undefined;
  let queue: Message[] = [];
  let working: Promise<void> | undefined;
  let isWaiting = false;
  let wholeNow: { readonly of: Held; readonly update: Update } | undefined;
  const counts = { refused: 0, unknown: 0, writtenLength: 0 };

  const work = async (): Promise<void> => {
    while (queue.length > 0 && !(isWaiting && !queue.some(isSnapshot))) {
      const messages = takeReady();
      await step(messages);
    }
  };

  /** While a snapshot is awaited, it goes first; the changes that came before it were received on a newer stream position or are refused. */
  const takeReady = (): Message[] => {
    const taken = queue;
    queue = [];
    if (!isWaiting) return taken;
    isWaiting = false;
    return [...taken.filter(isSnapshot), ...taken.filter((message) => !isSnapshot(message))];
  };

  const step = async (messages: readonly Message[]): Promise<void> => {
    const before = held;
    let next = held;
    let isWhole = false;
    const applied: Change[] = [];
    const groups = groupChanges(messages);
    for (const [index, message] of groups.entries()) {
      if (message.kind === 'unknown') counts.unknown += 1;
      const reduced = reduce(next, message, filterKey !== '');
      counts.refused += reduced.refused;
      if (message.kind === 'snapshot' && reduced.refused > 0) onServerBehind(message.snapshot.revision);
      isWhole ||= message.kind === 'snapshot' && reduced.held !== next;
      if (message.kind === 'snapshot' && reduced.held !== next) applied.length = 0;
      applied.push(...reduced.applied);
      next = reduced.held;
      if (reduced.need === 'snapshot') {
        queue = [...groups.slice(index), ...queue];
        isWaiting = true;
        break;
      }
    }
    if (next !== undefined && next !== before) await commit(before, next, isWhole, applied);
    if (isWaiting) {
      trace('hub', 'gap', { epoch: held?.epoch, revision: held?.revision });
      onNeedSnapshot();
    }
  };

  const commit = async (
    before: Held | undefined,
    next: Held,
    isWhole: boolean,
    applied: readonly Change[],
  ): Promise<void> => {
    const nowMs = system.nowMs();
    // A follower shows what it was asked for; storage belongs to the leader.
    const changes = isWhole || before === undefined ? undefined : applied;
    const written = term === undefined ? 'failed' : await write(next, { term, nowMs, filterKey }, changes);
    if (written === 'superseded') return;
    // Shown also when the store has failed: a broken one must not keep a flag from the tabs.
    held = next;
    heldFilterKey = filterKey;
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
    working ??= work().finally(() => {
      working = undefined;
      if (queue.length > 0 && !(isWaiting && !queue.some(isSnapshot))) pump();
    });
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

  const distrust = (): void => {
    if (isWaiting) return;
    isWaiting = true;
    onNeedSnapshot();
  };

  const confirm = (): void => {
    if (held === undefined) return;
    source = 'server';
    confirmedAtMs = system.nowMs();
    onConfirmed();
    if (term === undefined || confirmedAtMs - confirmStoredAtMs < CONFIRM_EVERY_MS) return;
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
    load: async () => {
      const stored = await store.load();
      const isNewer =
        stored !== undefined &&
        (held === undefined || held.epoch !== stored.held.epoch || held.revision < stored.held.revision);
      if (!isNewer) return;
      held = stored.held;
      heldFilterKey = stored.filterKey;
      confirmedAtMs = stored.confirmedAtMs;
      source = 'storage';
      trace('storage', 'loaded', { epoch: held.epoch, revision: held.revision, flags: held.flags.size });
      onUpdate(whole());
    },
    lead: async () => {
      term = await store.lead();
    },
    receive: (messages) => {
      queue.push(...messages);
      pump();
    },
    stopWaiting: () => {
      isWaiting = false;
      queue = [];
    },
    notePosition: ({ epoch, revision }) => {
      // While something is on its way to storage the answer would be about the past; the next heartbeat asks again.
      if (held === undefined || working !== undefined || isWaiting) return;
      if (epoch !== held.epoch || (revision > held.revision && !held.isFiltered)) distrust();
      else if (revision < held.revision) onServerBehind(revision);
      else confirm();
    },
    distrust,
    confirm,
    whole,
    setFilter: (filter) => {
      filterKey = filterKeyOf(filter);
    },
    isResumable: () => held !== undefined && heldFilterKey === filterKey,
    drop: async () => {
      queue = [];
      isWaiting = false;
      await working;
      held = undefined;
      source = 'none';
      confirmedAtMs = undefined;
      onUpdate({ kind: 'empty' });
    },
    settled: async () => {
      await working;
    },
  };
}

function isSnapshot(message: Message): boolean {
  return message.kind === 'snapshot';
}

function isSuperseded(error: unknown): boolean {
  return error instanceof FlagError && error.code === 'superseded';
}
