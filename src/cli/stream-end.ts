/** What the end of a stream means: words for people, and whether another attempt makes sense. */
import { FlagError } from '../core/errors.ts';
import type { ServerRequest, StreamEnd } from '../transport/contract.ts';
import { unauthorisedText } from './ask-server.ts';

export function reasonOfEnd(end: StreamEnd): string {
  switch (end.ended) {
    case 'closed':
      return 'the server closed the stream';
    case 'aborted':
      return 'stopped';
    case 'failed':
      return end.error.message;
    case 'refused':
      return `the server answers ${end.status}`;
    case 'wrong-content':
      return `the answer is ${end.contentType || 'of no type'}, not an event stream`;
  }
}

/** Throws what another attempt would only repeat: `unauthorized`, `not_found` or `unreachable`. */
export function refuseForGood(
  end: StreamEnd,
  { url, accessToken }: Pick<ServerRequest, 'url' | 'accessToken'>,
): void {
  if (end.ended === 'failed' && end.error.code === 'unauthorized') throw end.error;
  if (end.ended !== 'refused') return;
  const { status } = end;
  if (status === 401 || status === 403) {
    throw new FlagError('unauthorized', unauthorisedText(url, status, accessToken), { status });
  }
  if (status === 404 || status === 410) {
    throw new FlagError('not_found', `${url} answers ${status}: it has no stream of flags. Check --url.`, {
      status,
    });
  }
  if (status === 204 || status === 400) {
    throw new FlagError(
      'unreachable',
      `${url} answers ${status}: it refuses this stream. Check --key and --tag.`,
      { status },
    );
  }
}
