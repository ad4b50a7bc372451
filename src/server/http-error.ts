/** Errors as answers: `{"error":"what happened and what to do"}` with the status that fits. */
import { FlagError, type FlagErrorCode } from '../core/errors.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: string };
}

/** What the caller can do something about; the rest is 500. An error's own `status` wins. */
const STATUS: Partial<Readonly<Record<FlagErrorCode, number>>> = {
  invalid_data: 400,
  too_large: 413,
  unauthorized: 401,
  not_found: 404,
  closed: 503,
};

/** Anything but a `FlagError` is our own fault: it is reported, and its text is not sent. */
export function errorAnswer(error: unknown, report: (error: unknown) => void): ErrorAnswer {
  if (!(error instanceof FlagError)) {
    report(error);
    return answer(500, 'The server failed. Try again; its log says more.');
  }
  const status = error.status ?? STATUS[error.code] ?? 500;
  if (status === 500) report(error);
  return answer(status, error.message);
}

function answer(status: number, message: string): ErrorAnswer {
  return { status, headers: HEADERS[status] ?? {}, body: { error: message } };
}

const HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': 'Bearer' },
  503: { 'Retry-After': '5' },
};

export function notFound(what: string, advice: string): FlagError {
  return new FlagError('not_found', `${what} does not exist. ${advice}`);
}

export function conflict(message: string): FlagError {
  return new FlagError('invalid_data', message, { status: 409 });
}
