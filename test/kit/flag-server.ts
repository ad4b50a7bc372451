/** The real flag server as a process of its own: it can be killed and come back on the same port with the same database. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');
/** A server that has not said where it listens by then never will. */
const START_AT_MOST_MS = 15_000;
/** A drain that takes longer is broken; then the process is killed. */
const STOP_AT_MOST_MS = 10_000;

export interface FlagServerOptions {
  readonly readTokens?: readonly string[];
  readonly writeTokens?: readonly string[];
  /** Default: every origin. */
  readonly allowOrigins?: readonly string[];
  /** Database file; default: one in a temporary folder that is removed with the server. */
  readonly db?: string;
  /** Default 0, a free one. */
  readonly port?: number;
}

/** What the tests read of `GET /api/v1/health`. */
export interface FlagServerHealth {
  /** Live streams now. */
  readonly streams: number;
  /** Streams opened since the process started. */
  readonly streamsOpened: number;
  /** Streams that went on from an event id, without a snapshot. */
  readonly resumed: number;
  readonly epoch: string;
  readonly revision: number;
}

export interface FlagServer {
  /** Without a trailing slash; stays the same over `restart`. */
  readonly url: string;
  /** A request to `/api/v1` + path with the first write token and a JSON body; throws on an error status, gives the JSON answer. */
  rest(path: string, init?: { readonly method?: string; readonly body?: unknown }): Promise<unknown>;
  health(): Promise<FlagServerHealth>;
  /** Ends the process; `SIGKILL` without a goodbye. Default `SIGTERM`. Does nothing when it is stopped. */
  stop(signal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<void>;
  /** Stops, if it runs, and starts on the same port with the same database. */
  restart(signal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<void>;
  /** Stops and removes the temporary database. */
  close(): Promise<void>;
}

export async function startFlagServer(options: FlagServerOptions = {}): Promise<FlagServer> {
  const folder = mkdtempSync(join(tmpdir(), 'flagent-server-'));
  const args = serveArguments(options, options.db ?? join(folder, 'flags.db'));
  const token = options.writeTokens?.[0];
  let running = await startProcess([...args, '--port', String(options.port ?? 0)]);
  const { url } = running;

  const stop: FlagServer['stop'] = (signal = 'SIGTERM') => stopProcess(running.process, signal);
  const rest: FlagServer['rest'] = (path, init) => requestJson(`${url}/api/v1${path}`, token, init);
  return {
    url,
    rest,
    health: async () => (await rest('/health')) as FlagServerHealth,
    stop,
    async restart(signal) {
      await stop(signal);
      running = await startProcess([...args, '--port', new URL(url).port]);
    },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function serveArguments(options: FlagServerOptions, db: string): string[] {
  const each = (option: string, values: readonly string[] = []): string[] =>
    values.flatMap((value) => [option, value]);
  return [
    ...['serve', '--host', '127.0.0.1', '--db', db],
    ...each('--read-token', options.readTokens),
    ...each('--write-token', options.writeTokens),
    ...each('--allow-origin', options.allowOrigins ?? ['*']),
  ];
}

async function startProcess(args: readonly string[]): Promise<{ process: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (bytes: Buffer) => {
    complaints += bytes.toString();
  });
  const tooLate = setTimeout(() => child.kill('SIGKILL'), START_AT_MOST_MS);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const url = listeningUrl(line);
      if (url !== undefined) return { process: child, url };
    }
    throw new Error(`The flag server ended before it listened (${args.join(' ')}).\n${complaints}`);
  } finally {
    clearTimeout(tooLate);
  }
}

function listeningUrl(line: string): string | undefined {
  const json = JSON.parse(line) as { readonly listening?: unknown };
  return typeof json.listening === 'string' ? json.listening : undefined;
}

async function stopProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  const tooLate = setTimeout(() => child.kill('SIGKILL'), STOP_AT_MOST_MS);
  child.kill(signal);
  await exited;
  clearTimeout(tooLate);
}

async function requestJson(
  url: string,
  token: string | undefined,
  { method = 'GET', body }: { readonly method?: string; readonly body?: unknown } = {},
): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} was answered with ${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
