/**
 * Questions to the server and their answers, on a socket that may be cut in between. Every question settles: by its answer, by a second
 * cut, by its deadline, or because the connection has given up.
 *
 *   asked ──opened──► sent ──answer──► settled
 *     ▲                 │
 *     └── cut once, or left by us ── cut twice ──► failed
 */
import { FlagError } from '../core/errors.ts';
import type { EvaluationResult } from '../core/evaluate/evaluation.ts';
import { type EntityQuestion, encodeClientFrame } from '../core/protocol/websocket-client-frame.ts';
import type { System } from '../system/system.ts';
import type { SideTraffic } from '../transport/websocket-stream.ts';

export interface EvaluationsOptions {
  readonly system: Pick<System, 'after'>;
  readonly timeoutMs: number;
  /** What the connection is doing, for the one who has waited in vain. */
  readonly describeConnection: () => string;
  /** A question is under way: there must be a connection. The returned function says that there need not be one any more. */
  readonly keepOpen: () => () => void;
}

export interface Evaluations extends SideTraffic {
  /** Rejects with a `FlagError`. */
  ask(question: EntityQuestion): Promise<EvaluationResult>;
  /** Every question under way fails, and the connection is not kept for the next one. */
  fail(error: FlagError): void;
}

interface Question {
  readonly text: string;
  readonly flagKey: string;
  readonly resolve: (result: EvaluationResult) => void;
  readonly reject: (error: FlagError) => void;
  isSent: boolean;
  cuts: number;
}

/** Of one question: it is asked again after the first. */
const CUTS_ALLOWED = 1;
/** The connection is kept for the next question. */
const LINGER_MS = 30_000;

export function createEvaluations(options: EvaluationsOptions): Evaluations {
  const { system, timeoutMs, describeConnection, keepOpen } = options;
  const questions = new Map<string, Question>();
  let send: ((text: string) => void) | undefined;
  let asked = 0;
  let release: (() => void) | undefined;
  let stopLingering = (): void => {};

  const put = (question: Question): void => {
    if (send === undefined) return;
    question.isSent = true;
    send(question.text);
  };

  const begin = (): void => {
    stopLingering();
    release ??= keepOpen();
  };

  const finish = (): void => {
    if (questions.size > 0) return;
    stopLingering = system.after(LINGER_MS, letGo);
  };

  const letGo = (): void => {
    stopLingering();
    release?.();
    release = undefined;
  };

  return {
    ask: (question) => {
      asked += 1;
      const id = `evaluation-${asked}`;
      const { flagKey } = question;
      return new Promise<EvaluationResult>((resolve, reject) => {
        const text = encode(id, question);
        const stopTimer = system.after(timeoutMs, () => {
          const message = `The evaluation of ${flagKey} had no answer for ${timeoutMs} ms; the connection is ${describeConnection()}.`;
          settle(() => reject(new FlagError('timeout', message)));
        });
        const settle = (how: () => void): void => {
          stopTimer();
          questions.delete(id);
          how();
          finish();
        };
        const asking: Question = {
          text,
          flagKey,
          resolve: (result) => settle(() => resolve(result)),
          reject: (error) => settle(() => reject(error)),
          isSent: false,
          cuts: 0,
        };
        questions.set(id, asking);
        begin();
        put(asking);
      });
    },
    fail: (error) => {
      for (const question of [...questions.values()]) question.reject(error);
      letGo();
    },
    opened: (sendNow) => {
      send = sendNow;
      for (const question of questions.values()) put(question);
    },
    received: (answer) => {
      // An answer that comes after the deadline has nobody to go to.
      const question = questions.get(answer.id ?? '');
      if (answer.kind === 'error') question?.reject(new FlagError(answer.code, answer.message));
      else question?.resolve(answer.result);
    },
    closed: (how) => {
      send = undefined;
      for (const question of [...questions.values()]) {
        if (question.isSent && how === 'lost') question.cuts += 1;
        question.isSent = false;
        if (question.cuts > CUTS_ALLOWED) question.reject(cutTwice(question.flagKey));
      }
    },
  };
}

/** A context that JSON cannot say (a bigint, a circle) is the caller's mistake. */
function encode(id: string, question: EntityQuestion): string {
  try {
    return encodeClientFrame({ kind: 'evaluate', id, question });
  } catch (cause) {
    throw new FlagError('invalid_option', `The entityContext cannot be sent: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

function cutTwice(flagKey: string): FlagError {
  return new FlagError(
    'unreachable',
    `The connection was cut twice while ${flagKey} was evaluated. Try again, or evaluate with flags that are held.`,
  );
}
