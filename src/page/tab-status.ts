/** `status` as a tab shows it: the hub's part, what the mirror holds, and how old that is. */
import type { FlagStatus, HubStatus } from '../core/state/status.ts';
import type { System } from '../system/system.ts';
import { firstStatus } from './first-status.ts';
import type { Mirror } from './mirror.ts';

export interface TabStatus {
  now(): FlagStatus;
  hub(): HubStatus;
  /** `quietly`: nobody is told yet, because more follows. */
  receive(status: HubStatus, how?: 'quietly'): void;
  attachedTo(host: 'shared-worker' | 'tab'): void;
  hubUnreachable(reason: string): void;
  closed(): void;
}

export interface TabStatusOptions {
  readonly system: System;
  readonly mirror: Mirror;
  readonly staleAfterMs: number;
  readonly onChange: (status: FlagStatus) => void;
}

const UNKNOWN: HubStatus = {
  ...firstStatus({ is: 'connecting', attempt: 1 }),
  isLeader: false,
  isFollower: false,
};

export function createTabStatus({ system, mirror, staleAfterMs, onChange }: TabStatusOptions): TabStatus {
  let hub = UNKNOWN;
  let host: 'shared-worker' | 'tab' = 'shared-worker';
  let shown = '';
  let stopStaleTimer = (): void => {};

  const now = (): FlagStatus => {
    const { isLeader: _, isFollower, ...rest } = hub;
    const { confirmedAtMs } = hub;
    return {
      ...rest,
      source: mirror.held === undefined ? 'none' : hub.source,
      epoch: mirror.held?.epoch,
      revision: mirror.held?.revision,
      host: isFollower ? 'follower' : host,
      stale: confirmedAtMs === undefined || system.nowMs() - confirmedAtMs >= staleAfterMs,
    };
  };

  const show = (): void => {
    const status = now();
    waitForStale(status);
    const text = JSON.stringify(status);
    if (text === shown) return;
    shown = text;
    onChange(status);
  };

  /** `stale` turns true by the passing of time alone. */
  const waitForStale = ({ stale, confirmedAtMs }: FlagStatus): void => {
    stopStaleTimer();
    if (stale || confirmedAtMs === undefined || !Number.isFinite(staleAfterMs)) return;
    stopStaleTimer = system.after(Math.min(confirmedAtMs + staleAfterMs - system.nowMs(), 2 ** 31 - 1), show);
  };

  return {
    now,
    hub: () => hub,
    receive: (status, how) => {
      hub = status;
      if (how === undefined) show();
    },
    attachedTo: (itsHost) => {
      host = itsHost;
    },
    hubUnreachable: (reason) => {
      hub = { ...hub, connection: { is: 'stopped', reason } };
      show();
    },
    closed: () => {
      stopStaleTimer();
      hub = { ...hub, connection: { is: 'stopped', reason: 'closed' } };
    },
  };
}
