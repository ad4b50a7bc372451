/** A server that plays the steps of one connection vector, and tells when the client has had all of an answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { listenOnLoopback } from '../../src/testing/listen-on-loopback.ts';

export interface Step {
  readonly request?: {
    readonly path?: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string | null>>;
  };
  readonly response: {
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: readonly (string | { readonly waitMs: number })[];
    readonly end: 'close' | 'hold' | 'abort' | 'refuse';
    readonly delayHeadersMs?: number;
  };
}

export interface VectorServer {
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
  /** The step that answers, or answered, the newest request. */
  readonly current: Step | undefined;
  /** Ends what is held open. */
  endHeld(): void;
  /** From now on somebody listens. */
  listen(): Promise<void>;
  close(): void;
}

export const bodyOf = ({ response }: Step): string =>
  (response.body ?? []).filter((item) => typeof item === 'string').join('');

/** A request beyond the steps is answered as the last one was. */
export async function startVectorServer(steps: readonly Step[]): Promise<VectorServer> {
  const requests: IncomingMessage[] = [];
  const held = new Set<ServerResponse>();
  const [first] = steps;
  const answered = steps.filter(({ response }) => response.end !== 'refuse');
  const current = (): Step | undefined => answered[Math.min(requests.length, answered.length) - 1];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(request);
    const step = current();
    if (step !== undefined) void answer(step, response, elsewhere, held);
  };
  const main = createServer(listener);
  const other = createServer(listener);
  const elsewhere = `http://127.0.0.1:${await listenOnLoopback(other)}`;
  const port = await listenOnLoopback(main);
  if (first?.response.end === 'refuse') await stopListening(main);

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get current() {
      return current();
    },
    endHeld: () => {
      for (const response of held) response.end();
    },
    listen: async () => {
      if (!main.listening) await listenOnLoopback(main, port);
    },
    close: () => {
      for (const server of [main, other]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

async function answer(
  { response: wanted }: Step,
  response: ServerResponse,
  elsewhere: string,
  held: Set<ServerResponse>,
): Promise<void> {
  // Late is later than the request; nobody has to wait for it.
  if (wanted.delayHeadersMs !== undefined) await laterTurns();
  const headers = Object.entries(wanted.headers ?? {}).map(([name, value]) => [
    name,
    value.replace('http://other.test', elsewhere),
  ]);
  response.writeHead(wanted.status ?? 200, Object.fromEntries(headers)).flushHeaders();
  for (const item of wanted.body ?? []) {
    if (typeof item === 'string') await new Promise<void>((written) => response.write(item, () => written()));
    else await laterTurns();
  }
  if (wanted.end === 'close') response.end();
  // The bytes first: a reset may overtake them.
  if (wanted.end === 'abort') await laterTurns().then(() => response.destroy());
  if (wanted.end === 'hold') held.add(response);
}

async function laterTurns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await nextTurn();
}

async function stopListening(server: Server): Promise<void> {
  await new Promise((closed) => server.close(closed));
}
