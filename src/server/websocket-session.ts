/**
 * One client on a WebSocket: its subscriptions, and the answers to what it asks. All subscriptions together are one stream of the
 * fan-out; each `subscribe` begins it anew with the union of the filters. It knows text and bytes, and nothing of sockets.
 *
 *   text ──► inbox ──one after another, while the client takes what it is sent──► frame ──► answer, stream
 */
import { FlagError } from '../core/errors.ts';
import type { EvaluationResult } from '../core/evaluate/evaluation.ts';
import type { FlagFilter } from '../core/model.ts';
import {
  type ClientFrame,
  decodeClientFrame,
  type EntityQuestion,
  refuseTooManyNames,
} from '../core/protocol/websocket-client-frame.ts';
import { type Answer, encodeAnswer } from '../core/protocol/websocket-server-frame.ts';
import { unionOfFilters } from '../core/state/filter.ts';
import type { FanOut, StreamSink } from './fan-out.ts';
import { WEBSOCKET_ENCODING } from './stream-encoding.ts';

/** The socket of one client, as far as its session needs it. */
export interface SessionSocket {
  readonly sink: StreamSink;
  /** The client is slower than the server: what it asks waits. */
  readonly isFull: boolean;
  send(text: string): void;
  /** Ends the connection because of what the client has sent. */
  refuse(closeCode: number, reason: string): void;
}

export interface SessionParts {
  readonly fanOut: FanOut;
  readonly evaluate: (question: EntityQuestion) => EvaluationResult;
  readonly maxSubscriptions: number;
  /** Hears failures that are the server's own fault. */
  readonly report: (error: unknown) => void;
  /** A stream has begun. */
  readonly onStream: (how: 'fresh' | 'resumed') => void;
}

export interface Session {
  receive(text: string): void;
  receiveBinary(): void;
  /** The client has taken what it was sent. */
  drained(): void;
  /** So much waits to be done that the client should be read no further. */
  readonly isBehind: boolean;
  /** Nothing more is received, and the stream is written to no more. */
  end(): void;
}

/** RFC 6455 §7.4.1: the message is of a kind that is not accepted; the message is not what its kind says. */
const UNSUPPORTED_DATA = 1003;
const INVALID_PAYLOAD = 1007;
/** Characters that may wait. Enough for the pings of a client that takes its first flags slowly: they show that it lives. */
const INBOX_LENGTH = 65_536;

export function createSession(socket: SessionSocket, parts: SessionParts): Session {
  const { fanOut, evaluate, maxSubscriptions, report, onStream } = parts;
  let subscriptions: ReadonlyMap<string, FlagFilter | undefined> = new Map();
  let detach: (() => void) | undefined;
  const inbox: string[] = [];
  let inboxLength = 0;
  let isOver = false;

  const answer = (frame: Answer): void => socket.send(encodeAnswer(frame));

  const refuse = (error: unknown, id: string | undefined): void => {
    if (error instanceof FlagError) {
      answer({ kind: 'error', id, code: error.code, message: error.message });
      return;
    }
    report(error);
    const message = 'The server failed. Try again; its log says more.';
    answer({ kind: 'error', id, code: 'unreachable', message });
  };

  const work = (): void => {
    while (!isOver && !socket.isFull) {
      const text = inbox.shift();
      if (text === undefined) return;
      inboxLength -= text.length;
      handle(text);
    }
  };

  const handle = (text: string): void => {
    const decoded = decodeClientFrame(text);
    if (!decoded.ok) {
      refuse(decoded.error, decoded.id);
      if (!decoded.isJson) leave(INVALID_PAYLOAD, 'The message is not JSON.');
      return;
    }
    const { frame } = decoded;
    try {
      carryOut(frame);
    } catch (error) {
      refuse(error, 'id' in frame ? frame.id : undefined);
    }
  };

  const carryOut = (frame: ClientFrame): void => {
    switch (frame.kind) {
      case 'subscribe':
        subscribe(frame);
        return;
      case 'unsubscribe':
        unsubscribe(frame.id);
        return;
      case 'evaluate':
        answer({ kind: 'evaluation_result', id: frame.id, result: evaluate(frame.question) });
        return;
      case 'ping':
        answer({ kind: 'pong' });
        return;
    }
  };

  /** Reading what was missed and attaching happen in one step: nothing is committed in between. */
  const subscribe = ({ id, filter, after }: Extract<ClientFrame, { kind: 'subscribe' }>): void => {
    const next = new Map(subscriptions).set(id, filter);
    if (next.size > maxSubscriptions) {
      throw new FlagError(
        'too_large',
        `This connection has its ${maxSubscriptions} subscriptions. Stop one, or name more flags in one.`,
      );
    }
    const union = unionOf(next);
    refuseTooManyNames(Object.values(union ?? {}).reduce((sum, names) => sum + names.length, 0));
    const wish = { filter: union, after, encoding: WEBSOCKET_ENCODING };
    const { bytes, isResumed } = fanOut.firstBytes(wish);
    subscriptions = next;
    answer({ kind: 'subscribed', id });
    detach?.();
    detach = fanOut.attach(wish, socket.sink, bytes);
    onStream(isResumed ? 'resumed' : 'fresh');
  };

  /** What is left goes on where it is. */
  const unsubscribe = (id: string): void => {
    const next = new Map(subscriptions);
    if (!next.delete(id)) {
      throw new FlagError('not_found', `There is no subscription ${JSON.stringify(id)} on this connection.`);
    }
    subscriptions = next;
    detach?.();
    detach =
      next.size === 0
        ? undefined
        : fanOut.attach(
            { filter: unionOf(next), after: undefined, encoding: WEBSOCKET_ENCODING },
            socket.sink,
            Buffer.alloc(0),
          );
  };

  const end = (): void => {
    isOver = true;
    detach?.();
    detach = undefined;
  };

  const leave = (closeCode: number, reason: string): void => {
    end();
    socket.refuse(closeCode, reason);
  };

  return {
    receive: (text) => {
      if (isOver) return;
      inbox.push(text);
      inboxLength += text.length;
      work();
    },
    receiveBinary: () => {
      if (isOver) return;
      refuse(new FlagError('invalid_data', 'Binary messages are not understood here. Send text.'), undefined);
      leave(UNSUPPORTED_DATA, 'Binary messages are not understood here.');
    },
    drained: work,
    get isBehind() {
      return inboxLength > INBOX_LENGTH;
    },
    end,
  };
}

function unionOf(subscriptions: ReadonlyMap<string, FlagFilter | undefined>): FlagFilter | undefined {
  return [...subscriptions.values()].reduce(unionOfFilters);
}
