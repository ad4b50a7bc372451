/** `GET /api/v1/snapshot`: all flags at once, or the confirmation that nothing is newer. */
import { FlagError } from '../core/errors.ts';
import { encodeEventId } from '../core/protocol/event-id.ts';
import { decodeSnapshot } from '../core/protocol/messages.ts';
import type { System } from '../system/system.ts';
import type { ServerRequest, SnapshotAnswer } from './contract.ts';
import type { FetchLike, FetchResponse } from './fetch-like.ts';
import { exchange, fromNetwork, mediaType, refusal } from './request.ts';

export interface SnapshotSource {
  readonly fetch: FetchLike;
  readonly system: Pick<System, 'nowMs'>;
  /** UTF-16 units. */
  readonly maxLength: number;
}

export function fetchSnapshot(source: SnapshotSource, request: ServerRequest): Promise<SnapshotAnswer> {
  const { fetch, system, maxLength } = source;
  const headers = {
    accept: 'application/json',
    'if-none-match': request.after && `"${encodeEventId(request.after)}"`,
  };
  return exchange<SnapshotAnswer>(
    fetch,
    { request, path: '/api/v1/snapshot', headers },
    async (response, signal) => {
      // A server that says so unasked confirms nothing.
      if (response.status === 304 && request.after !== undefined) return { ended: 'not-modified' };
      if (response.status !== 200) return refusal(response, system);
      const contentType = mediaType(response);
      if (contentType !== 'application/json') return { ended: 'wrong-content', contentType };
      const text = await readText(response, { ...request, signal, maxLength });
      if (text === undefined) return { ended: 'malformed', error: tooLarge(maxLength) };
      const snapshot = decodeSnapshot(text);
      return snapshot.ok
        ? { ended: 'snapshot', snapshot: snapshot.value }
        : { ended: 'malformed', error: snapshot.error };
    },
  );
}

/** `undefined` as soon as the body is longer than the limit: the rest is not waited for. */
async function readText(
  response: FetchResponse,
  limits: Pick<ServerRequest, 'url' | 'signal' | 'onProgress'> & { readonly maxLength: number },
): Promise<string | undefined> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let length = 0;
  while (reader !== undefined) {
    const { done, value } = await fromNetwork(() => reader.read(), limits.url, limits.signal);
    limits.onProgress?.();
    const part = done ? decoder.decode() : decoder.decode(value, { stream: true });
    parts.push(part);
    length += part.length;
    if (length > limits.maxLength) return undefined;
    if (done) break;
  }
  return parts.join('');
}

function tooLarge(maxLength: number): FlagError {
  return new FlagError(
    'too_large',
    `The snapshot has more than ${maxLength} characters. Narrow the filter or split the flags.`,
    { path: 'snapshot' },
  );
}
