/** A flag server as a model: its whole history is kept, so a test can ask what was true at any revision. */
import type { Change, EventId, Flag } from '../../src/core/model.ts';
import type { Message } from '../../src/core/protocol/messages.ts';
import { buildFlag } from './flags.ts';

export interface FakeFlagServer {
  readonly now: EventId;
  /** Flags by key at that moment of this server's histories; `undefined` for a moment that never was. */
  at(moment: EventId): ReadonlyMap<string, Flag> | undefined;
  /** One flag gets a new state, or goes. Gives the change as the stream would carry it. */
  edit(key: string, how: 'update' | 'delete'): Message;
  /** Another history begins, with the same flags. */
  startNewEpoch(): void;
  /** The log of changes is cut here: who holds less can only be given a snapshot. */
  truncate(): void;
  /** What is asked is answered by a replica that lags so many changes behind, until `catchUp`. */
  fallBehind(by: number): void;
  /** The changes that the replica had not heard of. */
  catchUp(): Message[];
  readonly isBehind: boolean;
  /** Where the server says that it stands: `now`, or less when it lags. */
  readonly position: EventId;
  /** What a stream begins with for a client that holds `after`. */
  opening(after: EventId | undefined): Message[];
  snapshot(): Message & { readonly kind: 'snapshot' };
}

export function createFakeFlagServer(): FakeFlagServer {
  let epochNumber = 1;
  let changes: Change[] = [];
  let logFrom = 0;
  /** The newest revision that the lagging replica has; without one there is no lag. */
  let replicated: number | undefined;
  const states = new Map<string, ReadonlyMap<string, Flag>>([['e1.0', new Map()]]);
  const nameOf = ({ epoch, revision }: EventId): string => `${epoch}.${revision}`;
  const now = (): EventId => ({ epoch: `e${epochNumber}`, revision: changes.length });
  const position = (): EventId => ({ ...now(), revision: replicated ?? changes.length });
  const flagsNow = (): ReadonlyMap<string, Flag> => states.get(nameOf(now())) ?? new Map();

  const snapshot: FakeFlagServer['snapshot'] = () => ({
    kind: 'snapshot',
    snapshot: { ...position(), flags: [...(states.get(nameOf(position())) ?? new Map()).values()] },
    timestampMs: 0,
  });

  return {
    get now() {
      return now();
    },
    at: (moment) => states.get(nameOf(moment)),
    edit: (key, how) => {
      const { epoch, revision } = now();
      const id = key.charCodeAt(0);
      const flag =
        how === 'delete' ? null : buildFlag(key, { id, snapshotID: revision + 1, description: epoch });
      const change: Change = {
        type: flag === null ? 'FLAG_DELETED' : 'FLAG_UPDATED',
        epoch,
        revision: revision + 1,
        timestampMs: 0,
        flagID: id,
        flagKey: key,
        flag,
      };
      const flags = new Map(flagsNow());
      if (flag === null) flags.delete(key);
      else flags.set(key, flag);
      changes.push(change);
      states.set(nameOf(now()), flags);
      return { kind: 'change', change };
    },
    startNewEpoch: () => {
      const flags = flagsNow();
      epochNumber += 1;
      changes = [];
      logFrom = 0;
      replicated = undefined;
      states.set(nameOf(now()), flags);
    },
    truncate: () => {
      logFrom = changes.length;
    },
    fallBehind: (by) => {
      replicated = Math.max(0, changes.length - by);
    },
    catchUp: () => {
      const missed = changes.slice(position().revision);
      replicated = undefined;
      return missed.map((change) => ({ kind: 'change', change }));
    },
    get isBehind() {
      return replicated !== undefined;
    },
    get position() {
      return position();
    },
    opening: (after) => {
      const { epoch, revision } = position();
      const isKnown = after?.epoch === epoch && after.revision <= revision && after.revision >= logFrom;
      if (!isKnown) return [snapshot()];
      return changes.slice(after.revision, revision).map((change) => ({ kind: 'change', change }));
    },
    snapshot,
  };
}
