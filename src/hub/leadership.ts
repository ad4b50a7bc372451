/** Who streams: the hub that holds the stream lock. The others follow what it stores, and all of them forget together. */
import type { Connection } from './connection.ts';
import type { Replica } from './replica.ts';
import type { Announcements, ClaimStream } from './stream-lock.ts';

export interface Leadership {
  readonly isLeader: boolean;
  /** Tells followers that what is held is in storage now. */
  announceCommit(): void;
  /** Another hub has begun a newer term. */
  resign(): void;
  close(): void;
}

export interface LeadershipOptions {
  readonly replica: Replica;
  readonly connection: Connection;
  /** Reads what is stored; may join a reading under way when this hub has just started. */
  readonly load: () => Promise<void>;
  readonly claimStream: ClaimStream;
  readonly announcements: Announcements;
  /** Another hub of this scope was told to forget. */
  readonly onForgotten: () => void;
}

/** Why the connection of a follower is quiet. */
export const ANOTHER_HUB = 'another hub streams';

export function claimLeadership(options: LeadershipOptions): Leadership {
  const { replica, connection, announcements } = options;
  let isLeader = false;

  const lead = async (): Promise<void> => {
    // Whoever streamed before may have stored more since this hub looked.
    await options.load();
    await replica.lead();
    isLeader = true;
    connection.tell({ type: 'unpause', reason: ANOTHER_HUB });
  };

  const resign = (): void => {
    isLeader = false;
    connection.tell({ type: 'pause', reason: ANOTHER_HUB });
  };

  announcements.onAnnouncement((announcement) => {
    if (announcement.type === 'forgotten') options.onForgotten();
    else if (!isLeader) void replica.load();
  });
  const lock = options.claimStream({ onHeld: () => void lead(), onLost: resign });

  return {
    get isLeader() {
      return isLeader;
    },
    announceCommit: () => {
      const { held } = replica;
      if (!isLeader || held === undefined) return;
      announcements.post({ type: 'committed', epoch: held.epoch, revision: held.revision });
    },
    resign,
    close: () => {
      lock.release();
      announcements.close();
    },
  };
}
