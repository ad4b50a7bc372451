/** The changes of a chunk taken together. */
import type { Change } from '../core/model.ts';
import type { Message } from '../core/protocol/messages.ts';

/** Consecutive changes become one batch, so that the map of flags is copied once. */
export function groupChanges(messages: readonly Message[]): Message[] {
  const groups: Message[] = [];
  let changes: Change[] | undefined;
  for (const message of messages) {
    if (message.kind !== 'change' && message.kind !== 'batch') {
      changes = undefined;
      groups.push(message);
      continue;
    }
    if (changes === undefined) {
      changes = [];
      groups.push({ kind: 'batch', changes });
    }
    for (const change of message.kind === 'batch' ? message.changes : [message.change]) changes.push(change);
  }
  return groups;
}
