/** `status`: one value that says what is known, from where, how old, and what the connection is doing and why. */

/** What the one stream of this browser is doing. Each state carries only its own facts. */
export type ConnectionStatus =
  | { readonly is: 'connecting'; readonly attempt: number }
  | { readonly is: 'live'; readonly sinceMs: number }
  /** Waiting for the next attempt. */
  | { readonly is: 'waiting'; readonly retryAtMs: number; readonly attempt: number; readonly reason: string }
  /** The stream is refused, cut at once or not wanted; the server is asked for snapshots now and then. */
  | { readonly is: 'polling'; readonly nextPollAtMs: number; readonly reason: string }
  /** Deliberately not connected, for as long as any of the reasons holds. */
  | { readonly is: 'paused'; readonly reasons: readonly string[] }
  | { readonly is: 'stopped'; readonly reason: string };

/** What the hub knows and every tab shows. */
export interface HubStatus {
  readonly connection: ConnectionStatus;
  readonly storage: 'persistent' | 'memory';
  /** Where the flags that the hub holds came from. */
  readonly source: 'none' | 'storage' | 'server';
  readonly epoch: string | undefined;
  readonly revision: number | undefined;
  /** When a server last confirmed that the flags held are current; milliseconds since 1970. */
  readonly confirmedAtMs: number | undefined;
  /** Tabs attached to the hub, suspended ones included. */
  readonly tabs: number;
  /** This hub holds the stream. */
  readonly isLeader: boolean;
  /** This hub has heard from another one that holds the stream, and shows what that one stores. */
  readonly isFollower: boolean;
}

/** What a tab shows: the flags it can read now, and the hub's part. */
export interface FlagStatus extends Omit<HubStatus, 'source' | 'isLeader' | 'isFollower'> {
  readonly source: 'none' | 'bootstrap' | 'storage' | 'server';
  /** Where the hub runs; `follower`: another host holds the stream and this one reads what it stores. */
  readonly host: 'shared-worker' | 'tab' | 'follower';
  /** True when the flags were last confirmed longer than `staleAfterMs` ago, or never. */
  readonly stale: boolean;
}
