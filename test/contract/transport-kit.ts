/** Servers that answer over real sockets in one way each, and a listener that writes down what it hears. */
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import type { Change, EventId, Flag, FlagFilter } from '../../src/core/model.ts';
import { encodeMessage, type Message } from '../../src/core/protocol/messages.ts';
import { encodeSseEvent } from '../../src/core/protocol/sse-frame.ts';
import type { ServerRequest, StreamListener, Transport } from '../../src/transport/contract.ts';
import { createSseTransport } from '../../src/transport/sse.ts';

export const NOW_MS = Date.parse('2026-03-05T10:00:00Z');
export const MAX_EVENT_LENGTH = 10_000;
export const transport = createSseTransport({
  fetch,
  system: { nowMs: () => NOW_MS },
  maxEventLength: MAX_EVENT_LENGTH,
});

const stops: (() => void)[] = [];

/** Also ends what was started elsewhere. */
export function stopWithServers(stop: () => void): void {
  stops.push(stop);
}

export function stopServers(): void {
  for (const stop of stops.splice(0)) stop();
}

afterEach(stopServers);

export async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function flag(key: string, description = ''): Flag {
  return {
    id: 1,
    key,
    description,
    enabled: true,
    snapshotID: 0,
    dataRecordsEnabled: false,
    entityType: null,
    dependsOn: [],
    segments: [],
    variants: [],
    tags: [],
    updatedAt: null,
  };
}

export function change(revision: number, description = ''): Message {
  const made: Change = {
    type: 'FLAG_UPDATED',
    epoch: 'e',
    revision,
    timestampMs: 0,
    flagID: 1,
    flagKey: 'a',
    flag: flag('a', description),
  };
  return { kind: 'change', change: made };
}

export const wire = (message: Message) => encodeSseEvent(encodeMessage(message));

export interface Asked {
  readonly url: string;
  readonly signal?: AbortSignal;
  readonly after?: EventId;
  readonly filter?: FlagFilter;
  readonly accessToken?: string;
}

export function asRequest({ url, signal, after, filter, accessToken }: Asked): ServerRequest {
  return { url, after, filter, accessToken, signal: signal ?? new AbortController().signal };
}

/** Streams to the end and returns everything that happened, one line each. */
export async function listen(
  asked: Asked,
  on: Partial<StreamListener> = {},
  by: Transport = transport,
): Promise<string[]> {
  const heard: string[] = [];
  const listener: StreamListener = {
    opened: () => {
      heard.push('opened');
      on.opened?.();
    },
    alive: () => on.alive?.(),
    quiet: () => heard.push('quiet'),
    position: ({ epoch, revision }) => heard.push(`position ${epoch}.${revision}`),
    received: (messages) => {
      heard.push(`received ${messages.map(name).join(' ')}`);
      on.received?.(messages);
    },
    malformed: (error) => {
      heard.push(`malformed ${error.code} ${error.path ?? ''}`.trim());
      on.malformed?.(error);
    },
    retry: (delayMs) => {
      heard.push(`retry ${delayMs}`);
      on.retry?.(delayMs);
    },
  };
  const end = await by.stream(asRequest(asked), listener);
  return [...heard, end.ended === 'failed' ? `failed ${end.error.code}` : end.ended];
}

function name(message: Message): string {
  if (message.kind === 'change') return `${message.change.revision}${message.change.flag?.description ?? ''}`;
  return message.kind === 'unknown' ? `unknown:${message.type}` : message.kind;
}

export function startStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
}

/** A server that writes the pieces one by one, each as a chunk of its own, and then ends or stays. */
export function streaming(
  pieces: readonly (string | Uint8Array)[],
  end: 'end' | 'stay' = 'end',
): Promise<string> {
  return serve(async (_, response) => {
    startStream(response);
    response.socket?.setNoDelay(true);
    for (const piece of pieces) {
      await new Promise((written) => response.write(piece, written));
      await new Promise(setImmediate);
    }
    if (end === 'end') response.end();
  });
}

export const bytewise = (text: string) => Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte));
