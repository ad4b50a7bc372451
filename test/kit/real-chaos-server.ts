/** The server of real chaos: a process that dies and comes back on the same port with the same flags, and that knows its streams exactly. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Flag } from '../../src/core/model.ts';
import type { FlagServerHealth } from './flag-server.ts';

const MAIN = resolve(import.meta.dirname, 'real-chaos-server-main.ts');

/** What the process tells. */
export type ServerNews =
  | { readonly listening: string }
  | { readonly streamOpenedAtMs: number }
  /** For so long more than one stream has been open, in the server's own running time. */
  | { readonly overlapMs: number };

export interface ChaosServer {
  /** Without a trailing slash; stays the same over `start`. */
  readonly url: string;
  readonly isUp: boolean;
  /** The longest time with more than one stream since `forgetStreams`, milliseconds. */
  readonly longestOverlapMs: number;
  /** When streams were opened since `forgetStreams`, milliseconds since 1970. */
  readonly streamsOpenedAtMs: readonly number[];
  forgetStreams(): void;
  /** A request to `/api/v1` + path; throws on an error status. */
  rest(path: string, init?: { readonly method?: string; readonly body?: unknown }): Promise<unknown>;
  health(): Promise<FlagServerHealth>;
  start(): Promise<void>;
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  close(): Promise<void>;
}

export async function startChaosServer(flags: readonly Flag[]): Promise<ChaosServer> {
  const folder = mkdtempSync(join(tmpdir(), 'flagent-chaos-'));
  let running: ChildProcess | undefined;
  let url = '';
  let longestOverlapMs = 0;
  let opened: number[] = [];

  const hear = (news: ServerNews): void => {
    if ('overlapMs' in news) longestOverlapMs = Math.max(longestOverlapMs, news.overlapMs);
    if ('streamOpenedAtMs' in news) opened.push(news.streamOpenedAtMs);
  };
  const start = async (): Promise<void> => {
    if (running !== undefined) return;
    const port = url === '' ? '0' : new URL(url).port;
    const child = fork(MAIN, [join(folder, 'flags.db'), port], { execArgv: [] });
    running = child;
    child.on('message', hear);
    url = await new Promise<string>((settle, reject) => {
      child.on('message', (news: ServerNews) => 'listening' in news && settle(news.listening));
      child.once('exit', (code) => reject(new Error(`The server of the chaos ended with ${code}.`)));
    });
  };
  const stop: ChaosServer['stop'] = async (signal) => {
    const child = running;
    if (child === undefined) return;
    running = undefined;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  const rest: ChaosServer['rest'] = async (path, { method = 'GET', body } = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      // A kept connection would break with the process, and the next request with it.
      headers: { Connection: 'close', ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}.`);
    return response.json();
  };

  await start();
  await rest('/import', { method: 'POST', body: { flags } });
  return {
    url,
    get isUp() {
      return running !== undefined;
    },
    get longestOverlapMs() {
      return longestOverlapMs;
    },
    get streamsOpenedAtMs() {
      return opened;
    },
    forgetStreams() {
      longestOverlapMs = 0;
      opened = [];
    },
    rest,
    health: async () => (await rest('/health')) as FlagServerHealth,
    start,
    stop,
    async close() {
      await stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
