/** Turns what the client reports into lines of the log: several changes of one moment become one line. */
import type { ConnectionStatus, FlagChange, FlagStatus } from 'flagent-offline';
import type { EventLog } from './event-log.ts';

export interface Narrator {
  change(change: FlagChange): void;
  status(status: FlagStatus): void;
}

const MOST_LINES = 6;

export function createNarrator(log: EventLog): Narrator {
  let changes: FlagChange[] = [];
  let told = '';
  let isFailing = false;
  let hasSettled = false;

  function tellChanges(): void {
    const arrived = changes;
    changes = [];
    if (arrived.length <= MOST_LINES) for (const change of arrived) log.add('change', sayChange(change));
    else log.add('change', `${arrived.length} flags arrived, up to revision ${arrived.at(-1)?.revision}`);
  }

  return {
    change(change) {
      if (changes.length === 0) queueMicrotask(tellChanges);
      changes.push(change);
    },
    status({ connection }) {
      const text = sayMove(connection);
      // The first moments of a start are not worth a line each.
      hasSettled ||= connection.is !== 'connecting' && connection.is !== 'paused';
      if (!hasSettled) return;
      // Attempts that fail like the one before are for the tiles to count down, not for the log.
      if (text === told || (connection.is === 'connecting' && isFailing)) return;
      isFailing = connection.is === 'waiting';
      told = text;
      log.add('connection', text);
    },
  };
}

function sayMove(connection: ConnectionStatus): string {
  switch (connection.is) {
    case 'live':
      return 'Live';
    case 'connecting':
      return 'Connecting';
    case 'waiting':
      return `Offline: ${connection.reason}`;
    case 'polling':
      return `Polling: ${connection.reason}`;
    case 'paused':
      return `Paused: ${connection.reasons.join(', ')}`;
    case 'stopped':
      return `Stopped: ${connection.reason}`;
  }
}

function sayChange({ flagKey, flag, previous, type, revision }: FlagChange): string {
  if (flag === undefined) return `${flagKey} is gone (revision ${revision})`;
  if (previous === undefined) return `${flagKey} is new (revision ${revision})`;
  if (flag.enabled !== previous.enabled)
    return `${flagKey} is ${flag.enabled ? 'on' : 'off'} (revision ${revision})`;
  return `${flagKey}: ${(type ?? 'snapshot').toLowerCase().replaceAll('_', ' ')} (revision ${revision})`;
}
