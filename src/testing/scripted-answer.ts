/** One prepared answer of the scripted server, as data, and how it goes over the wire. */
import type { ServerResponse } from 'node:http';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { constants, createGzip, type Gzip } from 'node:zlib';
import type { CutHow } from './faulty-connection.ts';

export interface ScriptedAnswer {
  /** Default 200. `none`: no answer; the connection at once does what `end` says, by default `reset`. */
  readonly status?: number | 'none';
  /** By default a stream of events that pages of every origin may read; an empty value leaves a default header out. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the client waits for status and headers, milliseconds. Default 0. */
  readonly headersAfterMs?: number;
  /** Each piece goes out by itself, in order. Iterated anew for every request, so it may be without end. Default: nothing. */
  readonly body?: Iterable<BodyPiece>;
  /** `unflushed` keeps the text inside the compressor until the body ends, as a careless proxy does. Default: as it is. */
  readonly gzip?: 'flushed' | 'unflushed';
  /** What follows the last piece. Default `complete`. */
  readonly end?: AnswerEnd;
}

/** Text is sent as UTF-8; bytes can split a character. */
export type BodyPiece = string | Uint8Array | { readonly pauseMs: number };

/** `complete`: the body ends as it should. `stay`: the connection stays open and silent. `reset` and `fin` break it off; a reset overtakes what its client has not read yet, unless a pause goes before it. */
export type AnswerEnd = 'complete' | 'stay' | CutHow;

const DEFAULT_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Retry-After, ETag',
};

/** Settles when the answer is over or its client has left. `stay` settles too; the connection is then the client's to end. */
export async function playAnswer(answer: ScriptedAnswer, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.socket?.setNoDelay(true);
  try {
    await pause(answer.headersAfterMs ?? 0, gone.signal);
    if (answer.status === 'none') return endBody(response, answer.end ?? 'reset');
    response.writeHead(answer.status ?? 200, headersOf(answer)).flushHeaders();
    await sendBody(answer, response, gone.signal);
    endBody(response, answer.end ?? 'complete');
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
}

function headersOf({ headers = {}, gzip }: ScriptedAnswer): Record<string, string> {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const all = {
    ...DEFAULT_HEADERS,
    ...(gzip && { 'content-encoding': 'gzip' }),
    ...Object.fromEntries(given),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

async function sendBody(
  { body = [], gzip: mode, end }: ScriptedAnswer,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const gzip = mode && createGzip().on('data', (bytes: Buffer) => response.write(bytes));
  for (const piece of body) {
    if (gone.aborted) return;
    if (typeof piece === 'object' && 'pauseMs' in piece) {
      await pause(piece.pauseMs, gone);
      continue;
    }
    await written(gzip ?? response, piece);
    if (gzip && mode === 'flushed') await flushed(gzip);
    // Lets the piece leave alone, before the next one is added to it.
    await setImmediate();
  }
  if (gzip && (end ?? 'complete') === 'complete') await finished(gzip);
}

function endBody(response: ServerResponse, end: AnswerEnd): void {
  if (end === 'complete') response.end();
  if (end === 'reset') response.socket?.resetAndDestroy();
  if (end === 'fin') response.socket?.end();
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await setTimeout(ms, undefined, { signal });
}

/** Settles when the bytes have left, or were lost with their connection. */
function written(to: ServerResponse | Gzip, piece: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => to.write(piece, () => resolve()));
}

function flushed(gzip: Gzip): Promise<void> {
  return new Promise((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
}

function finished(gzip: Gzip): Promise<void> {
  return new Promise((resolve) => gzip.once('end', resolve).end());
}
