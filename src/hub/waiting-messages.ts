/** What came while a snapshot was awaited, put into the order in which it can be taken. */
import type { Message } from '../core/protocol/messages.ts';

export type SnapshotMessage = Extract<Message, { kind: 'snapshot' }>;

export function isSnapshot(message: Message): message is SnapshotMessage {
  return message.kind === 'snapshot';
}

export interface ReadyMessages {
  /** The snapshots first, then what still counts behind the newest of them. */
  readonly messages: readonly Message[];
  /**
   * Changes of an epoch that is neither held nor the snapshot's were left out: the snapshot may have been asked for before they came,
   * and is to be asked for once more.
   */
  readonly isDoubtful: boolean;
}

/**
 * Changes that came before the newest snapshot are of use only in its epoch: there they are on a newer stream position or are refused.
 * To wait for those of other epochs could be to wait for ever.
 */
export function readyMessages(waiting: readonly Message[], heldEpoch: string | undefined): ReadyMessages {
  const snapshots = waiting.filter(isSnapshot);
  const newestAt = waiting.findLastIndex(isSnapshot);
  const epoch = snapshots.at(-1)?.snapshot.epoch;
  let isDoubtful = false;
  const rest = waiting.flatMap((message, at): readonly Message[] => {
    if (isSnapshot(message)) return [];
    if (at > newestAt || epoch === undefined) return [message];
    if (message.kind !== 'change' && message.kind !== 'batch') return [message];
    const changes = message.kind === 'batch' ? message.changes : [message.change];
    isDoubtful ||= changes.some((change) => change.epoch !== epoch && change.epoch !== heldEpoch);
    const ours = changes.filter((change) => change.epoch === epoch);
    return ours.length === 0 ? [] : [{ kind: 'batch', changes: ours }];
  });
  return { messages: [...snapshots, ...rest], isDoubtful };
}
