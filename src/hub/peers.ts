/**
 * What the hubs of one scope tell each other: workers of different builds, and tabs that host a hub each. One of them leads (it holds the
 * stream lock and writes storage), the others follow. Old and new builds listen side by side, so kinds and fields are only ever added.
 */
import type { EventId, FlagFilter } from '../core/model.ts';
import type { HubStatus } from '../core/state/status.ts';
import type { Update } from '../core/state/update.ts';
import type { Answer } from './contract.ts';

/** From the leader, after each commit and each change of its status. */
export interface LeaderNews {
  readonly type: 'leader';
  /** Grows with every leader: what an earlier one says is not heard any more. */
  readonly generation: number;
  /** `tabs` counts those of all hubs. */
  readonly status: HubStatus;
  /** The filter of the flags, as text; empty for none. */
  readonly filterKey: string;
  /** What has just been committed. Left out when it is everything and lies in storage. */
  readonly update?: Update;
}

/** From a follower: it is here and wants to hear from the leader. */
export interface Hello {
  readonly type: 'hello';
  readonly tabs: number;
  readonly wants: FlagFilter | 'everything' | 'nothing';
  /** Storage does not have what the leader holds, so the flags have to come with the answer. */
  readonly needsFlags: boolean;
}

export type PeerNews =
  | LeaderNews
  | Hello
  /** Something happened that makes an attempt to connect worthwhile. */
  | { readonly type: 'wake'; readonly why: string }
  /** From a follower of a newer protocol: let it lead. */
  | { readonly type: 'yield' }
  /** A tab of a follower asks for the state that the server confirms. */
  | { readonly type: 'refresh'; readonly id: string }
  /** To a leader that is not heard, because another one of a higher generation was. One that still leads counts on from there. */
  | { readonly type: 'outdated'; readonly generation: number }
  | { readonly type: 'refreshed'; readonly id: string; readonly answer: Answer<EventId | null> }
  /** The namespace is being wiped; leaders up to this generation belong to the past. */
  | { readonly type: 'forgotten'; readonly generation: number };

export type PeerMessage = PeerNews & { readonly protocol: number; readonly from: string };

export interface PeerChannel {
  post(message: PeerMessage): void;
  /** Called for what others post; one listener. */
  onMessage(listener: (message: PeerMessage) => void): void;
  close(): void;
}

/** Calls once when the hub of that boot id is gone; the returned function stops waiting. */
export type WhenHubIsGone = (bootId: string, call: () => void) => () => void;

export interface TabCount {
  /** Tabs of the other hubs that are known to live. */
  readonly others: number;
  note(bootId: string, tabs: number): void;
  clear(): void;
}

/** Kept by the leader. A hub that crashes says nothing, so each is watched. */
export function createTabCount(whenHubIsGone: WhenHubIsGone, onChange: () => void): TabCount {
  const hubs = new Map<string, { tabs: number; readonly stopWatching: () => void }>();
  const drop = (bootId: string): void => {
    hubs.delete(bootId);
    onChange();
  };
  return {
    get others() {
      return [...hubs.values()].reduce((sum, { tabs }) => sum + tabs, 0);
    },
    note: (bootId, tabs) => {
      const known = hubs.get(bootId);
      if (known === undefined)
        hubs.set(bootId, { tabs, stopWatching: whenHubIsGone(bootId, () => drop(bootId)) });
      else known.tabs = tabs;
    },
    clear: () => {
      for (const { stopWatching } of hubs.values()) stopWatching();
      hubs.clear();
    },
  };
}
