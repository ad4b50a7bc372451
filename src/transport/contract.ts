/** What every transport offers: one live stream of messages, and one snapshot on request. It retries nothing; the connection machine decides. */
import type { FlagError } from '../core/errors.ts';
import type { EventId, FlagFilter, Snapshot } from '../core/model.ts';
import type { Message } from '../core/protocol/messages.ts';

export interface ServerRequest {
  /** Base URL of the server, without a trailing slash: `https://flags.example.com`. */
  readonly url: string;
  readonly filter: FlagFilter | undefined;
  /** Sent as `Authorization: Bearer`; never part of the URL. */
  readonly accessToken: string | undefined;
  /** Ends the request at once; the outcome is then `aborted`. */
  readonly signal: AbortSignal;
  /** The state already held: the server answers with what came after it, or not at all. */
  readonly after: EventId | undefined;
  /** Some bytes of a snapshot have come: a large one on a slow line takes its time. */
  readonly onProgress?: () => void;
}

/** Hears what a stream brings. Called in order, never after the returned promise has settled. */
export interface StreamListener {
  /** The server has accepted the stream. */
  opened(): void;
  /** Some bytes have come, if only a heartbeat. */
  alive(): void;
  /** This server is silent by nature (it sends no heartbeat): silence says nothing about the stream. */
  quiet(): void;
  /** All messages of one chunk of bytes, in order, at least one. */
  received(messages: readonly Message[]): void;
  /** The server says that the stream stands here: everything up to this state has been sent. */
  position(id: EventId): void;
  /** An event that is malformed or over a limit was left out: what is held may miss a change. */
  malformed(error: FlagError): void;
  /** The server asks for at least this delay before the next attempt, milliseconds. */
  retry(delayMs: number): void;
}

/** How a request ended when it did not bring what was asked for. */
export type RequestFailure =
  /** The caller's signal. */
  | { readonly ended: 'aborted' }
  /** No answer, or the connection broke. */
  | { readonly ended: 'failed'; readonly error: FlagError }
  /** An HTTP status other than the wanted one; `retryAfterMs` from `Retry-After`. */
  | { readonly ended: 'refused'; readonly status: number; readonly retryAfterMs: number | undefined }
  /** 200, but not from a flag server: a captive portal, a wrong address. */
  | { readonly ended: 'wrong-content'; readonly contentType: string };

/** A clean end of the body is also what a cut looks like in some browsers, so it is an end like any other. */
export type StreamEnd = { readonly ended: 'closed' } | RequestFailure;

export type SnapshotAnswer =
  | { readonly ended: 'snapshot'; readonly snapshot: Snapshot }
  /** The server confirms that `after` is current. */
  | { readonly ended: 'not-modified' }
  /** The body is malformed or over a limit. */
  | { readonly ended: 'malformed'; readonly error: FlagError }
  | RequestFailure;

export interface Transport {
  /** Settles when the stream has ended, for whatever reason; never rejects. */
  stream(request: ServerRequest, listener: StreamListener): Promise<StreamEnd>;
  /** Never rejects. */
  fetchSnapshot(request: ServerRequest): Promise<SnapshotAnswer>;
}
