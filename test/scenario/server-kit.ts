/** A server in this process, its REST as one function, and a stream client that counts nothing and hides nothing. */
import { type IncomingMessage, request } from 'node:http';
import { createParser } from 'eventsource-parser';
import { onTestFinished } from 'vitest';
import type { EventId } from '../../src/core/model.ts';
import { encodeEventId } from '../../src/core/protocol/event-id.ts';
import { decodeMessage, type Message } from '../../src/core/protocol/messages.ts';
import {
  createFlagentServer,
  type FlagentServer,
  type FlagentServerOptions,
} from '../../src/server/index.ts';

export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: unknown;
}

export interface OpenServer {
  readonly url: string;
  readonly server: FlagentServer;
  rest(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<RestAnswer>;
}

/** In memory, on a free port, closed when the test ends. */
export async function openServer(options: FlagentServerOptions = {}): Promise<OpenServer> {
  const server = createFlagentServer({ database: ':memory:', closeTimeoutMs: 500, ...options });
  onTestFinished(() => server.close());
  const { url } = await server.listen({ port: 0 });
  return {
    url,
    server,
    async rest(method, path, body, headers = {}) {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers,
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        json: text === '' ? undefined : JSON.parse(text),
      };
    },
  };
}

export interface OpenStream {
  readonly response: IncomingMessage;
  /** Bytes of the first chunk of the body. */
  readonly firstChunk: Promise<Buffer>;
  /** The next `count` messages, in order. Rejects when the stream ends before. */
  take(count: number): Promise<readonly Message[]>;
  /** Resolves when the body has ended or was cut. */
  readonly ended: Promise<'ended' | 'cut'>;
  /** Stops reading: the server's bytes pile up. */
  pause(): void;
  close(): void;
}

export async function openStream(
  url: string,
  {
    query = '',
    after,
    headers = {},
  }: { query?: string; after?: EventId; headers?: Record<string, string> } = {},
): Promise<OpenStream> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const lastEventID = after === undefined ? {} : { 'Last-Event-ID': encodeEventId(after) };
    const sent = request(
      `${url}/api/v1/events/stream${query}`,
      { headers: { ...lastEventID, ...headers } },
      resolve,
    );
    sent.on('error', reject);
    sent.end();
  });
  onTestFinished(() => void response.destroy());
  const queue: Message[] = [];
  let wake = () => {};
  let isOver = false;
  const parser = createParser({
    onEvent({ event = 'message', id, data }) {
      const decoded = decodeMessage({ event, id, data });
      if (!decoded.ok) throw decoded.error;
      queue.push(decoded.value);
    },
  });
  const decoder = new TextDecoder();
  const firstChunk = new Promise<Buffer>((resolve) => response.once('data', resolve));
  response.on('data', (chunk: Buffer) => {
    parser.feed(decoder.decode(chunk, { stream: true }));
    wake();
  });
  const ended = new Promise<'ended' | 'cut'>((resolve) => {
    response.on('error', () => undefined);
    response.on('close', () => {
      isOver = true;
      wake();
      resolve(response.complete ? 'ended' : 'cut');
    });
  });
  return {
    response,
    firstChunk,
    ended,
    async take(count) {
      while (queue.length < count) {
        if (isOver) throw new Error(`The stream ended with ${queue.length} of ${count} messages.`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return queue.splice(0, count);
    },
    pause: () => void response.pause(),
    close: () => void response.destroy(),
  };
}

/** Messages as short words: `snapshot 3: a b`, `4 FLAG_UPDATED a`, `batch: 4 …, 5 …`. */
export function wordsOf(messages: readonly Message[]): readonly string[] {
  return messages.map((message) => {
    switch (message.kind) {
      case 'snapshot':
        return `snapshot ${message.snapshot.revision}: ${message.snapshot.flags.map(({ key }) => key).join(' ')}`;
      case 'change':
        return `${message.change.revision} ${message.change.type} ${message.change.flagKey}`;
      case 'batch':
        return `batch: ${message.changes.map(({ revision, type, flagKey }) => `${revision} ${type} ${flagKey}`).join(', ')}`;
      default:
        return message.kind;
    }
  });
}
