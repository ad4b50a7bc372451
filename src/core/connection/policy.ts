/** Every number and status rule of the connection, in one place; all of them are options. */

export interface ConnectionPolicy {
  /** False: streaming is not wanted or not possible here; the server is asked for snapshots every `pollMs`. Default true. */
  readonly streams: boolean;
  /** Longest delay after the first failure; doubles with each further one. Default 1 s. */
  readonly retryBaseMs: number;
  /** Longest delay ever. Default 30 s. */
  readonly retryCapMs: number;
  /**
   * So many first delays have full jitter: anything from 0 to their ceiling. The later ones lie in the upper half of it.
   * With full jitter alone one browser in 18 made more than 6 attempts in a minute after the first ten seconds (10 000 seeds:
   * median 4, 99th percentile 8, most 10); with 3, none did (median 3, 99th percentile 4, most 5). Default 3.
   */
  readonly fullJitterAttempts: number;
  /** A stream that lived this long clears the count of failures. Default 60 s. */
  readonly resetAfterMs: number;
  /** Failures in a row after which the connection stops. Default: never. */
  readonly maxAttempts: number;
  /**
   * A stream without a byte for this long is taken for dead. Our server sends a heartbeat every 15 s. The stream of a server that is
   * silent by nature is not: the server is asked for a snapshot instead, this often. Default 40 s; `Infinity` for neither.
   */
  readonly silenceMs: number;
  /** An attempt, poll or probe without an answer for this long has failed. Default 15 s. */
  readonly connectTimeoutMs: number;
  /** `online`, visible and wake-ups try at once, spread over this much. Default 250 ms. */
  readonly wakeUpJitterMs: number;
  /** A stream that ends sooner than this counts as short-lived; three in a row mean that something on the way does not let streams through. Default 1 s. */
  readonly shortLivedMs: number;
  /** Time between attempts where the stream is refused (403, 404, 410); spread over one to three times this. Default 5 min. */
  readonly slowPollMs: number;
  /** Time between polls where streams are cut or not wanted; spread from half to one and a half of this. Default 30 s. */
  readonly pollMs: number;
  /** Where streams are cut, a stream is tried again after this long. Default 5 min. */
  readonly streamAgainMs: number;
}

export const DEFAULT_POLICY: ConnectionPolicy = {
  streams: true,
  retryBaseMs: 1_000,
  retryCapMs: 30_000,
  fullJitterAttempts: 3,
  resetAfterMs: 60_000,
  maxAttempts: Number.POSITIVE_INFINITY,
  silenceMs: 40_000,
  connectTimeoutMs: 15_000,
  wakeUpJitterMs: 250,
  shortLivedMs: 1_000,
  slowPollMs: 300_000,
  pollMs: 30_000,
  streamAgainMs: 300_000,
};

/** What an HTTP status other than 200 means for the stream. */
export type Verdict = 'stop' | 'renew-token' | 'poll' | 'back-off';

export function judgeStatus(status: number): Verdict {
  if (status === 204) return 'stop';
  if (status === 401) return 'renew-token';
  if (status === 403 || status === 404 || status === 410) return 'poll';
  return 'back-off';
}
