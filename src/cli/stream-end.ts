/** Which ends of a stream end the watch too, because another attempt makes no sense. */
import { FlagError } from '../core/errors.ts';
import type { ServerRequest, StreamEnd } from '../transport/contract.ts';
import { unauthorisedText } from './ask-server.ts';

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
