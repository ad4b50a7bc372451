/** One HTTP request to a flag server: its address and headers, the ways it can end badly, and that it always ends. */
import { FlagError } from '../core/errors.ts';
import type { FlagFilter } from '../core/model.ts';
import type { System } from '../system/system.ts';
import type { RequestFailure, ServerRequest } from './contract.ts';
import type { FetchLike, FetchResponse } from './fetch-like.ts';
import { reasonOf } from './reason.ts';

/** No server hint keeps a client away for longer: a wrong clock on either side would make it days. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Asks the server and hands the response to `use`. Aborts the request when `use` is done with it. Never rejects. */
export async function exchange<T>(
  fetch: FetchLike,
  ask: {
    readonly request: ServerRequest;
    readonly path: string;
    readonly headers: Record<string, string | undefined>;
  },
  use: (response: FetchResponse, signal: AbortSignal) => Promise<T>,
): Promise<T | RequestFailure> {
  const { request, path } = ask;
  if (request.signal.aborted) return { ended: 'aborted' };
  // Own controller: an abort is the only end of a body that every browser passes on to the server; `reader.cancel()` is not (Firefox).
  const controller = new AbortController();
  const { signal } = controller;
  request.signal.addEventListener('abort', () => controller.abort(), { once: true, signal });
  try {
    const headers = definedHeaders({
      ...ask.headers,
      authorization: bearer(request.accessToken),
    });
    const address = `${request.url}${path}${filterQuery(request.filter)}`;
    const response = await fromNetwork(
      () => fetch(address, { headers, cache: 'no-store', signal }),
      request.url,
      signal,
    );
    return await use(response, signal);
  } catch (error) {
    if (request.signal.aborted) return { ended: 'aborted' };
    return { ended: 'failed', error: error instanceof FlagError ? error : brokenUse(request.url, error) };
  } finally {
    controller.abort();
  }
}

/** What can stand in a header. `fetch` would refuse the rest too, but with the token in its message. */
const TOKEN = /^[\x21-\x7e]+$/;

/** Throws `unauthorized`. */
export function bearer(token: string | undefined): string | undefined {
  if (token === undefined || token === '') return undefined;
  if (TOKEN.test(token)) return `Bearer ${token}`;
  throw new FlagError(
    'unauthorized',
    'The access token holds a space, a line break or another character that no header can carry (it is not shown). Copy it again.',
  );
}

/** Settles as the call does, or at once when the signal fires, even if the platform forgets to. A failure becomes `unreachable`. */
export function fromNetwork<T>(call: () => Promise<T>, url: string, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(new FlagError('closed', 'The request was aborted.'));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    const failed = (cause: unknown) => reject(unreachable(url, cause));
    new Promise<T>((settle) => settle(call()))
      .then(resolve, failed)
      .finally(() => signal.removeEventListener('abort', stop));
  });
}

/** A status other than the wanted one. */
export function refusal(response: FetchResponse, system: Pick<System, 'nowMs'>): RequestFailure {
  const retryAfterMs = decodeRetryAfter(response.headers.get('retry-after'), system.nowMs());
  return { ended: 'refused', status: response.status, retryAfterMs };
}

/** Seconds or an HTTP date, as milliseconds from now: 0 to one hour. Anything else is `undefined`. */
export function decodeRetryAfter(value: string | null, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return limitDelayMs(Number(text) * 1000);
  // Engines guess dates from almost any text; an HTTP date begins with the day of the week.
  const atMs = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : limitDelayMs(atMs - nowMs);
}

export function limitDelayMs(delayMs: number): number {
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(0, delayMs));
}

/** The media type without its parameters, in lower case. */
export function mediaType(response: FetchResponse): string {
  return (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Repeatable query parameters: `?flagKey=a&flagKey=b&tag=web`; empty when nothing is filtered. */
export function filterQuery(filter: FlagFilter | undefined): string {
  const query = new URLSearchParams();
  for (const key of filter?.flagKeys ?? []) query.append('flagKey', key);
  for (const id of filter?.flagIDs ?? []) query.append('flagID', String(id));
  for (const tag of filter?.tags ?? []) query.append('tag', tag);
  for (const key of filter?.segmentsOf ?? []) query.append('segmentsOf', key);
  const text = query.toString();
  return text && `?${text}`;
}

function definedHeaders(headers: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
}

export function unreachable(url: string, cause: unknown): FlagError {
  return new FlagError(
    'unreachable',
    `The connection to ${url} failed: ${reasonOf(cause)}. Check the address and the network.`,
    { cause },
  );
}

/** Not the network's fault: the code that took the answer threw. */
export function brokenUse(url: string, cause: unknown): FlagError {
  return new FlagError(
    'closed',
    `The request to ${url} was ended because its listener threw: ${reasonOf(cause)}.`,
    { cause },
  );
}
