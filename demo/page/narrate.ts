/** Turns what the client reports into lines of the log: several changes of one moment become one line. */
import type { FlagChange, FlagStatus } from 'flagent-offline';
import type { EventLog } from './event-log.ts';
import { sayConnection } from './say-connection.ts';

export interface Narrator {
  change(change: FlagChange): void;
  status(status: FlagStatus): void;
}

const MOST_LINES = 6;

export function createNarrator(log: EventLog): Narrator {
  let changes: FlagChange[] = [];
  let shownConnection = '';

  function tell(): void {
    const told = changes;
    changes = [];
    if (told.length > MOST_LINES)
      log.add('change', `${told.length} flags arrived, up to revision ${told.at(-1)?.revision}`);
    else for (const change of told) log.add('change', sayChange(change));
  }

  return {
    change(change) {
      if (changes.length === 0) queueMicrotask(tell);
      changes.push(change);
    },
    status(status) {
      const { title, detail } = sayConnection(status, Date.now());
      const isWaiting = status.connection.is === 'waiting';
      // Countdowns belong to the tiles; the log tells of each state once.
      if (title === shownConnection) return;
      shownConnection = title;
      log.add(
        'connection',
        isWaiting || title === 'Stopped' ? `${title}: ${detail.split(' · ').at(-1)}` : title,
      );
    },
  };
}

function sayChange({ flagKey, flag, previous, type, revision }: FlagChange): string {
  if (flag === undefined) return `${flagKey} is gone (revision ${revision})`;
  if (previous === undefined) return `${flagKey} is new (revision ${revision})`;
  if (flag.enabled !== previous.enabled)
    return `${flagKey} is ${flag.enabled ? 'on' : 'off'} (revision ${revision})`;
  return `${flagKey}: ${(type ?? 'snapshot').toLowerCase().replaceAll('_', ' ')} (revision ${revision})`;
}
