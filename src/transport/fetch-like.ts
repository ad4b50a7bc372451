/** The part of `fetch` that transports use: small enough to fake, and what pages, workers and Node all have. */

export interface FetchRequest {
  readonly headers: Record<string, string>;
  /** Flags are never to come from the HTTP cache, and a stream must not be written into it. */
  readonly cache: 'no-store';
  readonly signal: AbortSignal;
}

export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): BodyReader } | null;
}

export interface BodyReader {
  /** `done: true` is a clean end, or in WebKit also a cut connection. */
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

export type FetchLike = (url: string, request: FetchRequest) => Promise<FetchResponse>;
