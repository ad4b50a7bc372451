/** The one error class of the package and its closed list of codes. Decide on `code`, never on the text. */

export const FLAG_ERROR_CODES = [
  /** An option of the public API is missing or wrong. */
  'invalid_option',
  /** Bytes from a server, a file or storage are not what they should be; `path` says where. */
  'invalid_data',
  /** Something is larger than its limit. */
  'too_large',
  /** The token is missing, wrong, or lacks the scope. */
  'unauthorized',
  /** The server cannot be reached or answers with an error status. */
  'unreachable',
  /** What was asked for does not exist. */
  'not_found',
  /** The other side did not answer in time. */
  'timeout',
  /** The client, hub or server has been closed. */
  'closed',
  /** The store cannot be used; the message says why. */
  'storage',
  /** Another hub has taken over; what this one wanted to write is refused. */
  'superseded',
  /** The address is taken, a file is foreign, or another condition of the machine prevents the start. */
  'environment',
] as const;

export type FlagErrorCode = (typeof FLAG_ERROR_CODES)[number];

/** Thrown by the public API; the message says what happened and what to do. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
  readonly code: FlagErrorCode;
  /** For `invalid_data`: where in the input, such as `flags[3].segments[0].rank`. */
  readonly path: string | undefined;
  /** For `unreachable` and `unauthorized`: the HTTP status, when there was one. */
  readonly status: number | undefined;

  constructor(
    code: FlagErrorCode,
    message: string,
    facts: { path?: string; status?: number; cause?: unknown } = {},
  ) {
    super(message, facts);
    this.code = code;
    this.path = facts.path;
    this.status = facts.status;
  }
}

/** The outcome of something that can fail on bad input: data, not an exception. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: FlagError };
