/** What `watch` prints for a message: lines for people, or one JSON object per line for programs. */
import type { Change } from '../core/model.ts';
import type { Message } from '../core/protocol/messages.ts';
import type { Reduced } from '../core/state/reduce.ts';
import { isoTime } from './iso-time.ts';
import { counted, printable } from './printable.ts';

/** `isFirst`: nothing was printed before, so a snapshot is summed up and not compared. */
export interface Occasion {
  readonly nowMs: number;
  readonly isFirst: boolean;
}

export function humanLines(reduced: Reduced, message: Message, { nowMs, isFirst }: Occasion): string[] {
  if (message.kind !== 'snapshot') return reduced.applied.map(describeChange);
  const { revision, flags } = message.snapshot;
  const at = head(message.timestampMs || nowMs, revision);
  const enabled = flags.filter((flag) => flag.enabled).length;
  const summary = `${at}  snapshot: ${counted(flags.length, 'flag')}, ${enabled} of them enabled`;
  if (isFirst) return [summary];
  const held = reduced.held?.flags;
  return [
    summary,
    ...reduced.changedKeys.map((key) => `${at}  ${printable(key)}  ${held?.has(key) ? 'changed' : 'gone'}`),
  ];
}

export function jsonLines(reduced: Reduced, message: Message, { nowMs }: Occasion): string[] {
  if (message.kind !== 'snapshot') return reduced.applied.map((change) => JSON.stringify(change));
  const { epoch, revision, flags } = message.snapshot;
  const timestampMs = message.timestampMs || nowMs;
  const { changedKeys } = reduced;
  return [
    JSON.stringify({ type: 'SNAPSHOT', epoch, revision, timestampMs, flags: flags.length, changedKeys }),
  ];
}

function describeChange(change: Change): string {
  return `${head(change.timestampMs, change.revision)}  ${printable(change.flagKey)}  ${WHAT[change.type](change)}`;
}

function head(timestampMs: number, revision: number): string {
  return `${isoTime(timestampMs)}  ${revision}`;
}

const stateOf = ({ flag }: Change): string => (flag?.enabled ? 'enabled' : 'disabled');

const WHAT: Readonly<Record<Change['type'], (change: Change) => string>> = {
  FLAG_CREATED: (change) => `created, ${stateOf(change)}`,
  FLAG_UPDATED: (change) => `updated, ${stateOf(change)}`,
  FLAG_DELETED: () => 'deleted',
  FLAG_ENABLED: () => 'enabled',
  FLAG_DISABLED: () => 'disabled',
  SEGMENT_UPDATED: ({ segmentID }) => `segment ${segmentID ?? '?'} updated`,
  DISTRIBUTION_UPDATED: ({ segmentID }) => `distribution of segment ${segmentID ?? '?'} updated`,
};
