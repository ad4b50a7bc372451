/**
 * Measures faults: from the press of a button to the moment the tab notices, and to the moment it is current again. Asks no clock.
 *
 *   began ──► noticed ──► mended ──► current again
 *               └ left out when the tab never lost its stream
 */
import type { FlagStatus } from 'flagent-offline';
import { sayDuration } from './say-time.ts';

export interface Recovery {
  /**
   * `lasting`: until somebody mends it. `mended`: nothing has to be put right by hand, as after a crash. `replaced`: the tab has another
   * client, so that it has lost its stream is no news. A fault that is still open goes on.
   */
  began(fault: string, atMs: number, how: 'lasting' | 'mended' | 'replaced'): void;
  /** The lasting faults are over, by this action. The tab is current again when it holds the server's revision of that moment. */
  mended(action: string, atMs: number, revision: number): void;
  /** What is to be told now, in words. */
  look(status: FlagStatus, nowMs: number): readonly RecoveryNews[];
}

export interface RecoveryNews {
  readonly kind: 'noticed' | 'recovered';
  readonly text: string;
}

interface Fault {
  readonly name: string;
  readonly beganAtMs: number;
  readonly isNoticed: boolean;
  readonly mended: { readonly by: string | undefined; readonly atMs: number } | undefined;
}

export function createRecovery(): Recovery {
  let faults: readonly Fault[] = [];
  let leastRevision = 0;
  /** Since when the stream has been live at this revision: a tab may hear late that a fault is mended. */
  let standing: { readonly revision: number | undefined; readonly sinceMs: number } | undefined;

  const isOver = (
    { isNoticed, mended }: Fault,
    { connection, revision, confirmedAtMs }: FlagStatus,
  ): boolean =>
    mended !== undefined &&
    connection.is === 'live' &&
    (revision ?? 0) >= leastRevision &&
    // A tab that has noticed nothing must hear from the server first.
    (isNoticed || (confirmedAtMs ?? 0) > mended.atMs);

  return {
    began(name, beganAtMs, how) {
      if (faults.some((fault) => fault.name === name)) return;
      const mended = how === 'lasting' ? undefined : { by: undefined, atMs: beganAtMs };
      faults = [...faults, { name, beganAtMs, isNoticed: how === 'replaced', mended }];
    },
    mended(by, atMs, revision) {
      leastRevision = revision;
      faults = faults.map((fault) =>
        fault.mended === undefined ? { ...fault, mended: { by, atMs } } : fault,
      );
    },
    look(status, nowMs) {
      const { connection, revision, confirmedAtMs } = status;
      const isCutOff = connection.is !== 'live';
      if (isCutOff) standing = undefined;
      else if (standing === undefined || standing.revision !== revision)
        standing = { revision, sinceMs: nowMs };
      const overAtMs = ({ isNoticed, mended }: Fault): number =>
        Math.max(mended?.atMs ?? 0, (isNoticed ? standing?.sinceMs : confirmedAtMs) ?? nowMs);
      const noticed = faults.filter(({ isNoticed }) => isCutOff && !isNoticed);
      faults = faults.map((fault) => (isCutOff ? { ...fault, isNoticed: true } : fault));
      const over = faults.filter((fault) => isOver(fault, status));
      faults = faults.filter((fault) => !over.includes(fault));
      return [
        ...noticed.map((fault) => sayNoticed(fault, nowMs)),
        ...over.map((fault) => sayOver(fault, overAtMs(fault))),
      ];
    },
  };
}

function sayNoticed({ name, beganAtMs }: Fault, nowMs: number): RecoveryNews {
  return { kind: 'noticed', text: `Noticed ${sayDuration(nowMs - beganAtMs)} after ${name}` };
}

function sayOver({ name, beganAtMs, mended }: Fault, overAtMs: number): RecoveryNews {
  const sinceFault = `${sayDuration(overAtMs - beganAtMs)} after ${name}`;
  const since =
    mended?.by === undefined
      ? sinceFault
      : `${sayDuration(overAtMs - mended.atMs)} after ${mended.by}, ${sinceFault}`;
  return { kind: 'recovered', text: `Current again ${since}` };
}
