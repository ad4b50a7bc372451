/** A refresh that a tab of a follower asks for: the leader fetches, commits and answers, so that only one hub ever brings flags from the server. */
import type { EventId } from '../core/model.ts';
import type { System } from '../system/system.ts';
import type { Answer } from './contract.ts';
import type { PeerNews } from './peers.ts';

type RefreshAnswer = Answer<EventId | null>;

export interface PeerRefresh {
  /** Asks the leader, whoever that is or will be. */
  ask(): Promise<RefreshAnswer>;
  /** There is a new leader, so the questions are asked again. */
  askAgain(): void;
  /** This hub leads now: its own questions are answered by itself. */
  takeOver(): void;
  /** A follower asks. */
  serve(id: string): void;
  settle(id: string, answer: RefreshAnswer): void;
  close(): void;
}

export interface PeerRefreshOptions {
  readonly system: Pick<System, 'after' | 'newId'>;
  readonly post: (news: PeerNews) => void;
  readonly refresh: () => Promise<RefreshAnswer>;
}

const ANSWER_WITHIN_MS = 12_000;

export function createPeerRefresh({ system, post, refresh }: PeerRefreshOptions): PeerRefresh {
  const open = new Map<string, (answer: RefreshAnswer) => void>();

  const settle = (id: string, answer: RefreshAnswer): void => {
    open.get(id)?.(answer);
    open.delete(id);
  };

  return {
    ask: () =>
      new Promise((resolve) => {
        const id = system.newId();
        const stop = system.after(ANSWER_WITHIN_MS, () => settle(id, NO_ANSWER));
        open.set(id, (answer) => {
          stop();
          resolve(answer);
        });
        post({ type: 'refresh', id });
      }),
    askAgain: () => {
      for (const id of open.keys()) post({ type: 'refresh', id });
    },
    takeOver: () => {
      for (const id of open.keys()) void refresh().then((answer) => settle(id, answer));
    },
    serve: (id) => void refresh().then((answer) => post({ type: 'refreshed', id, answer })),
    settle,
    close: () => {
      for (const id of [...open.keys()]) settle(id, CLOSED);
    },
  };
}

const NO_ANSWER = {
  ok: false,
  code: 'timeout',
  message: 'The tab or worker that holds the stream did not answer. Try again.',
} as const;
const CLOSED = { ok: false, code: 'closed', message: 'The hub has been closed.' } as const;
