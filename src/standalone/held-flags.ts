/**
 * The flags that the stream has brought, and what each message changes for those who listen. Nothing is stored, so that every message
 * is taken over and told before the next one is looked at: messages made with another filter cannot get in between.
 */
import type { EventId, Flag, FlagFilter } from '../core/model.ts';
import type { Message } from '../core/protocol/messages.ts';
import { changesOf, type FlagChange } from '../core/state/flag-change.ts';
import { judgePosition } from '../core/state/position.ts';
import { type Held, reduce } from '../core/state/reduce.ts';
import { groupChanges } from '../hub/group-changes.ts';

export interface HeldFlagsOptions {
  /** The flags are already new. */
  readonly onChanges: (changes: readonly FlagChange[]) => void;
  /** The stream does not fit what is held and cannot be used any more. */
  readonly onMisfit: (reason: string) => void;
}

export interface HeldFlags {
  /** What is held, as changes from nothing. */
  asChanges(): readonly FlagChange[];
  /** Where a stream may go on from; `undefined` when it must begin with all flags. */
  resumePoint(): EventId | undefined;
  /** The coming messages are made with this filter. What is held stays, to be compared with the first snapshot. */
  expect(filter: FlagFilter | undefined): void;
  receive(messages: readonly Message[]): void;
  /** The server says that it has sent everything up to this state. */
  notePosition(id: EventId): void;
  /** An event was lost on the way: the next stream begins with all flags. */
  distrust(reason: string): void;
  drop(): void;
}

const NO_FLAGS: ReadonlyMap<string, Flag> = new Map();

export function createHeldFlags({ onChanges, onMisfit }: HeldFlagsOptions): HeldFlags {
  let held: Held | undefined;
  let isFiltered = false;
  /** What is held lacks nothing that the present filter lets through. */
  let isWhole = false;

  const distrust = (reason: string): void => {
    isWhole = false;
    onMisfit(reason);
  };

  /** False when the messages behind this one are of no use. */
  const take = (message: Message): boolean => {
    if (!isWhole && (message.kind === 'change' || message.kind === 'batch')) {
      distrust('changes came before the flags');
      return false;
    }
    const before = held;
    const { held: after, changedKeys, applied, need, refused } = reduce(before, message, isFiltered);
    if (message.kind === 'snapshot') {
      if (refused > 0) {
        onMisfit(behind(message.snapshot.revision));
        return false;
      }
      isWhole = true;
    }
    if (after !== undefined && after !== before) {
      held = after;
      const changes = changesOf(changedKeys, {
        before: before?.flags ?? NO_FLAGS,
        after: after.flags,
        types: new Map(applied.map(({ flagKey, type }) => [flagKey, type])),
        revision: after.revision,
      });
      // A flag that came and went in one message was never there for anybody.
      onChanges(changes.filter(({ flag, previous }) => flag !== undefined || previous !== undefined));
    }
    if (need === 'snapshot') distrust('changes are missing');
    return need === undefined;
  };

  /** To stay would be to call old flags current. The next stream may end at a server that has caught up. */
  const behind = (revision: number): string =>
    `the server is at revision ${revision}, behind what is held (${held?.revision})`;

  return {
    asChanges: () => {
      if (held === undefined) return [];
      const { flags, revision } = held;
      return changesOf(flags.keys(), { before: NO_FLAGS, after: flags, types: new Map(), revision });
    },
    resumePoint: () =>
      held !== undefined && isWhole ? { epoch: held.epoch, revision: held.revision } : undefined,
    expect: (filter) => {
      isFiltered = filter !== undefined;
      isWhole = false;
    },
    receive: (messages) => {
      groupChanges(messages).every(take);
    },
    notePosition: (position) => {
      if (held === undefined || !isWhole) return;
      const verdict = judgePosition(held, position);
      if (verdict === 'lost') distrust('changes are missing');
      if (verdict === 'behind') onMisfit(behind(position.revision));
    },
    distrust,
    drop: () => {
      held = undefined;
      isWhole = false;
    },
  };
}
