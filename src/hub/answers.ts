/** What tabs are told of the outcome of their requests: errors with what to do, as data. */
import type { EventId } from '../core/model.ts';
import type { SnapshotAnswer } from '../transport/contract.ts';
import type { Answer } from './contract.ts';

export function refreshAnswer(answer: SnapshotAnswer, held: EventId | undefined): Answer<EventId | null> {
  switch (answer.ended) {
    case 'snapshot':
    case 'not-modified':
      return { ok: true, value: held ? { epoch: held.epoch, revision: held.revision } : null };
    case 'malformed':
    case 'failed':
      return { ok: false, code: answer.error.code, message: answer.error.message };
    case 'aborted':
      return { ok: false, code: 'closed', message: 'The hub has been closed.' };
    case 'refused':
      return {
        ok: false,
        code: answer.status === 401 || answer.status === 403 ? 'unauthorized' : 'unreachable',
        message: `The server answers ${answer.status}. ${answer.status === 401 ? 'Check the access token.' : 'Try again later.'}`,
      };
    case 'wrong-content':
      return {
        ok: false,
        code: 'unreachable',
        message: `The answer is ${answer.contentType || 'without a type'}, not JSON. Check the url.`,
      };
  }
}

export function wipeFailed(error: unknown): Answer<null> {
  return {
    ok: false,
    code: 'storage',
    message: `The flags of this namespace could not be deleted from the browser (${String(error)}). Try again, or clear the site's data.`,
  };
}
