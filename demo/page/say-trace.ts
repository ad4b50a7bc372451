/** Entries of the trace in plain words. What is not here is for those who ask for details. */
import type { TraceEntry } from './follow-trace.ts';

type Facts = NonNullable<TraceEntry['facts']>;

const SENTENCES: Readonly<Record<string, (facts: Facts) => string>> = {
  'hub leads': () => 'This hub leads: it holds the one stream of this browser',
  'hub stream lock lost': () => 'Another hub has taken over the stream',
  'hub leader is deaf': () => 'The leading hub does not answer, so this one takes the stream from it',
  'hub yields': () => 'The hub gives the stream to a newer build',
  'hub gap': ({ revision }) => `Changes are missing after revision ${revision}: asking for everything`,
  'hub malformed': ({ message }) => `The server sent something unreadable: ${message}`,
  'storage loaded': ({ flags, revision }) => `Read from this device: ${flags} flags at revision ${revision}`,
  'storage committed': ({ revision }) => `Stored on this device: revision ${revision}`,
  'storage refused': ({ reason }) => `This device could not store the change: ${reason}`,
  'storage memory': ({ reason }) => `Going on without storage: ${reason}`,
  'storage not wiped': ({ reason }) => `Stored flags could not be wiped: ${reason}`,
};

export interface SaidTrace {
  /** The same for entries that differ only in numbers. */
  readonly what: string;
  readonly text: string;
}

/** `asked`: the newest request for a stream, which says what the stream brings once it is open. */
export function sayTrace(entry: TraceEntry, asked: TraceEntry | undefined): SaidTrace | undefined {
  const { by, what, facts = {} } = entry;
  const key = `${by} ${what}`;
  const text = facts.event === 'opened' ? sayOpened(asked) : SENTENCES[key]?.(facts);
  return text === undefined ? undefined : { what: key, text };
}

function sayOpened(asked: TraceEntry | undefined): string {
  const after = asked?.facts?.after;
  return typeof after === 'object' && after !== null && 'revision' in after
    ? `The stream goes on after revision ${after.revision}: only what was missed is sent`
    : 'The stream begins with everything';
}

/** As written by the hub. */
export function spellTrace({ by, what, facts }: TraceEntry): string {
  return facts === undefined ? `${by}: ${what}` : `${by}: ${what} ${JSON.stringify(facts)}`;
}
