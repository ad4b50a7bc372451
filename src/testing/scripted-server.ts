/**
 * A server that plays prepared answers, whatever they are: the faults that a proxy cannot make, because they are made of HTTP.
 * It knows no flags and keeps no state but its place in the script.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback } from './listen-on-loopback.ts';
import { playAnswer, type ScriptedAnswer } from './scripted-answer.ts';

/** In order, one answer per request, the last one for all that follow; or what the function says. */
export type AnswerScript =
  | readonly ScriptedAnswer[]
  | ((request: RecordedRequest, index: number) => ScriptedAnswer);

export interface RecordedRequest {
  readonly method: string;
  /** Without the query: `/api/v1/events/stream`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the server started. */
  readonly atMs: number;
}

export interface ScriptedServer {
  /** Without a trailing slash: `http://127.0.0.1:41234`. */
  readonly url: string;
  /** All requests so far, in order; preflights, which are always allowed, are left out. */
  readonly requests: readonly RecordedRequest[];
  /** Requests whose answer is not over, or whose client has not left. */
  readonly open: number;
  /** The oldest request that nobody has asked for yet; waits for it when there is none. */
  nextRequest(): Promise<RecordedRequest>;
  /** Ends everything. */
  close(): Promise<void>;
}

/**
 * Starts on a free port of this machine. One script for all requests, or one for each path; other paths, and scripts without an
 * answer, are answered with 404.
 *
 * @example
 * const server = await startScriptedServer({
 *   '/api/v1/events/stream': [answers.status(503, { 'retry-after': '1' }), answers.stream([snapshotEvent(1, flags)])],
 * });
 */
export async function startScriptedServer(
  script: AnswerScript | Readonly<Record<string, AnswerScript>>,
): Promise<ScriptedServer> {
  const requests: RecordedRequest[] = [];
  const answerTo = createPlayer(script);
  const inbox = createInbox();
  const startedAtMs = performance.now();
  let open = 0;

  const server = createServer((message, response) => {
    if (message.headers['access-control-request-method'] !== undefined) return allow(message, response);
    const request = record(message, performance.now() - startedAtMs);
    requests.push(request);
    open += 1;
    response.once('close', () => {
      open -= 1;
    });
    void playAnswer(answerTo(request), response);
    inbox.put(request);
  });
  const port = await listenOnLoopback(server);

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get open() {
      return open;
    },
    nextRequest: inbox.take,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createPlayer(
  script: AnswerScript | Readonly<Record<string, AnswerScript>>,
): (request: RecordedRequest) => ScriptedAnswer {
  const played = new Map<AnswerScript, number>();
  return (request) => {
    const answers = isAnswerScript(script) ? script : script[request.path];
    if (answers === undefined) return NOT_FOUND;
    const index = played.get(answers) ?? 0;
    played.set(answers, index + 1);
    if (typeof answers === 'function') return answers(request, index);
    return answers[Math.min(index, answers.length - 1)] ?? NOT_FOUND;
  };
}

const NOT_FOUND: ScriptedAnswer = { status: 404, headers: { 'content-type': 'text/plain' } };

function isAnswerScript(
  script: AnswerScript | Readonly<Record<string, AnswerScript>>,
): script is AnswerScript {
  return Array.isArray(script) || typeof script === 'function';
}

function record({ method = '', url = '/', headers }: IncomingMessage, atMs: number): RecordedRequest {
  const { pathname, searchParams } = new URL(url, 'http://server');
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { method, path: pathname, query: searchParams, headers: Object.fromEntries(texts), atMs };
}

/** Pages of other origins must get as far as the fault. */
function allow(message: IncomingMessage, response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': String(message.headers['access-control-request-method']),
    'access-control-allow-headers': message.headers['access-control-request-headers'] ?? '',
  });
  response.end();
}

interface Inbox {
  put(request: RecordedRequest): void;
  take(): Promise<RecordedRequest>;
}

function createInbox(): Inbox {
  const unread: RecordedRequest[] = [];
  const readers: ((request: RecordedRequest) => void)[] = [];
  return {
    put(request) {
      const reader = readers.shift();
      if (reader === undefined) unread.push(request);
      else reader(request);
    },
    take() {
      const request = unread.shift();
      if (request !== undefined) return Promise.resolve(request);
      return new Promise((resolve) => readers.push(resolve));
    },
  };
}
