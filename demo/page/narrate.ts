/** Turns what the client and its hub report into lines of the log: several changes of one moment become one line. */
import type { ConnectionStatus, FlagChange, FlagStatus } from 'flagent-offline';
import type { EventLog } from './event-log.ts';
import type { TraceEntry, TraceListener } from './follow-trace.ts';
import { sayPause } from './say-connection.ts';
import { sayTrace, spellTrace } from './say-trace.ts';

export interface Narrator extends TraceListener {
  change(change: FlagChange): void;
  status(status: FlagStatus): void;
  /** What has been told once is news again. */
  tellAgain(what: TellOnce): void;
}

const MOST_LINES = 6;
/** A hub older than this has a story of its own, which is not this tab's. */
const NEW_HUB_MS = 5_000;

/** True again and again, but news only the first time. */
const TELL_ONCE = ['storage loaded', 'storage committed'] as const;
type TellOnce = (typeof TELL_ONCE)[number];

export function createNarrator(log: EventLog): Narrator {
  let changes: FlagChange[] = [];
  let told = '';
  let isFailing = false;
  let hasSettled = false;
  let hasHub = false;
  let storyBeginsAtMs = 0;
  /** The newest request for a stream: it says what the stream brings when it opens. */
  let asked: TraceEntry | undefined;
  const toldOnce = new Set<string>();

  function tellChanges(): void {
    const arrived = changes;
    changes = [];
    if (arrived.length <= MOST_LINES) for (const change of arrived) log.add('change', sayChange(change));
    else log.add('change', sayMany(arrived));
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
    hub({ bootedAtMs }) {
      const nowMs = Date.now();
      const isNew = nowMs - bootedAtMs < NEW_HUB_MS;
      storyBeginsAtMs = isNew ? bootedAtMs : nowMs;
      toldOnce.clear();
      if (hasHub && isNew)
        log.add('hub', 'A new hub has started, and this tab is attached to it', bootedAtMs);
      if (hasHub && !isNew) log.add('hub', 'This tab is attached to another hub');
      hasHub = true;
    },
    entries(entries) {
      for (const entry of entries) {
        log.add('detail', spellTrace(entry), entry.atMs);
        if (entry.by === 'connection' && entry.what === 'open') asked = entry;
        const said = sayTrace(entry, asked);
        if (said === undefined || entry.atMs < storyBeginsAtMs || toldOnce.has(said.what)) continue;
        if (TELL_ONCE.some((what) => what === said.what)) toldOnce.add(said.what);
        log.add('hub', said.text, entry.atMs);
      }
    },
    tellAgain: (what) => toldOnce.delete(what),
  };
}

function sayMany(changes: readonly FlagChange[]): string {
  const gone = changes.filter(({ flag }) => flag === undefined).length;
  if (gone === changes.length) return `${gone} flags are gone`;
  return `${changes.length} flags arrived, up to revision ${changes.at(-1)?.revision}`;
}

function sayMove(connection: ConnectionStatus): string {
  switch (connection.is) {
    case 'live':
      return 'Live';
    case 'connecting':
      return 'Connecting';
    case 'waiting':
      return `Offline: ${firstSentence(connection.reason)}`;
    case 'polling':
      return `Polling: ${firstSentence(connection.reason)}`;
    case 'paused':
      return `Paused: ${sayPause(connection.reasons)}`;
    case 'stopped':
      return `Stopped: ${firstSentence(connection.reason)}`;
  }
}

/** What to do about it follows, and is for developers. */
function firstSentence(reason: string): string {
  return reason.split('. ', 1)[0] ?? reason;
}

function sayChange({ flagKey, flag, previous, type, revision }: FlagChange): string {
  if (flag === undefined) return `${flagKey} is gone (revision ${revision})`;
  if (previous === undefined) return `${flagKey} is new (revision ${revision})`;
  if (flag.enabled !== previous.enabled)
    return `${flagKey} is ${flag.enabled ? 'on' : 'off'} (revision ${revision})`;
  return `${flagKey}: ${(type ?? 'snapshot').toLowerCase().replaceAll('_', ' ')} (revision ${revision})`;
}
