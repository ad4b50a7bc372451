/** Every number and status rule of the connection, in one place; all of them are options. */

export interface ConnectionPolicy {
  /** Longest delay after the first failure; doubles with each further one. Default 1 s. */
  readonly retryBaseMs: number;
  /** Longest delay ever. Default 30 s. */
  readonly retryCapMs: number;
  /** A stream that lived this long clears the count of failures. Default 60 s. */
  readonly resetAfterMs: number;
  /** Failures in a row after which the connection stops. Default: never. */
  readonly maxAttempts: number;
  /** A stream without a byte for this long is taken for dead. Our server sends a heartbeat every 15 s. Default 40 s; `Infinity` for servers that are silent by nature. */
  readonly silenceMs: number;
  /** An attempt without an answer for this long has failed. Default 15 s. */
  readonly connectTimeoutMs: number;
  /** `online`, visible and wake-ups try at once, spread over this much. Default 250 ms. */
  readonly wakeUpJitterMs: number;
  /** A stream that ends sooner than this counts as short-lived; three in a row mean that something on the way does not let streams through. Default 1 s. */
  readonly shortLivedMs: number;
  /** Time between polls where the stream is refused; spread over one to three times this. Default 5 min. */
  readonly slowPollMs: number;
  /** Time between polls where streams are cut. Default 30 s. */
  readonly pollMs: number;
  /** Where streams are cut, a stream is tried again after this long. Default 5 min. */
  readonly streamAgainMs: number;
}

export const DEFAULT_POLICY: ConnectionPolicy = {
  retryBaseMs: 1_000,
  retryCapMs: 30_000,
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
