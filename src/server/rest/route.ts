/** What an endpoint is, without a framework: a row with its method, path, scope, and what it makes of a request. */
import type { Scope } from '../access.ts';

export interface Ask {
  /** A whole number in the path; throws `invalid_data`. */
  id(name: string): number;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** The JSON of the body, undecoded. Rejects with `invalid_data` and `too_large`. */
  body(): Promise<unknown>;
}

export interface Answer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON as bytes, for bodies that are kept encoded. */
  readonly bytes?: Buffer<ArrayBuffer>;
  /** Sent as JSON; absent and no `bytes`: an empty body. */
  readonly json?: unknown;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v1`, with `:names`. */
  readonly path: string;
  /** `none`: anybody may ask. */
  readonly scope: Scope | 'none';
  readonly maxBodyBytes?: number;
  answer(ask: Ask): Answer | Promise<Answer>;
}

/** A row for `GET` that everybody with the read scope may ask. */
export function reads(path: string, answer: Route['answer']): Route {
  return { method: 'GET', path, scope: 'read', answer };
}

/** A row that edits. */
export function writes(method: 'POST' | 'PUT' | 'DELETE', path: string, answer: Route['answer']): Route {
  return { method, path, scope: 'write', answer };
}
