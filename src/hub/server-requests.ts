/** What the hub asks the server, each time with the token, the filter and the state of that moment. */
import { FlagError } from '../core/errors.ts';
import type { EventId, FlagFilter } from '../core/model.ts';
import type { RequestFailure, ServerRequest, SnapshotAnswer, Transport } from '../transport/contract.ts';

export interface ServerRequestsOptions {
  readonly transport: Pick<Transport, 'fetchSnapshot'>;
  readonly url: string;
  readonly filter: () => FlagFilter | undefined;
  readonly after: () => EventId | undefined;
  readonly accessToken: (why: TokenReason) => Promise<string | undefined>;
}

/** `rejected`: the server has answered 401 to the last token. */
type TokenReason = 'first' | 'rejected';
/** `ifChanged`: a server that has nothing newer says so. */
type SnapshotMode = 'whole' | 'ifChanged';

export interface ServerRequests {
  /** Rejects when the token cannot be had. */
  requestWith(why: TokenReason, signal: AbortSignal): Promise<ServerRequest>;
  /** Never rejects. */
  ask(
    mode: SnapshotMode,
    why: TokenReason,
    signal: AbortSignal,
    onProgress?: () => void,
  ): Promise<SnapshotAnswer>;
  /** Once more with a new token where the first was refused. Never rejects. */
  askTwice(mode: SnapshotMode, signal: AbortSignal, onProgress?: () => void): Promise<SnapshotAnswer>;
}

export function createServerRequests(options: ServerRequestsOptions): ServerRequests {
  const requestWith: ServerRequests['requestWith'] = async (why, signal) => ({
    url: options.url,
    accessToken: await options.accessToken(why),
    filter: options.filter(),
    after: options.after(),
    signal,
  });

  const ask: ServerRequests['ask'] = async (mode, why, signal, onProgress) => {
    try {
      const request = await requestWith(why, signal);
      return await options.transport.fetchSnapshot({
        ...request,
        ...(mode === 'whole' && { after: undefined }),
        ...(onProgress && { onProgress }),
      });
    } catch (error) {
      return asFailure(error);
    }
  };

  return {
    requestWith,
    ask,
    askTwice: async (mode, signal, onProgress) => {
      const answer = await ask(mode, 'first', signal, onProgress);
      const isRejected = answer.ended === 'refused' && answer.status === 401;
      return isRejected ? ask(mode, 'rejected', signal, onProgress) : answer;
    },
  };
}

export function asFailure(cause: unknown): RequestFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  return { ended: 'failed', error: new FlagError('unreachable', message, { cause }) };
}
