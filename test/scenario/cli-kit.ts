/** Runs the real command line as a process of its own, and waits for what it prints, never for time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const NODE_COMPILE_CACHE = join(import.meta.dirname, '../../node_modules/.cache/cli');
const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

export interface RunningCli {
  readonly child: ChildProcess;
  /** The next line of standard output. Rejects when there is none, with what standard error says. */
  nextLine(): Promise<string>;
  /** The next line of standard error that matches. */
  nextError(pattern: RegExp): Promise<string>;
  /** Everything printed so far that nobody has asked for. */
  readonly unread: { readonly stdout: readonly string[]; readonly stderr: readonly string[] };
  kill(signal: NodeJS.Signals): void;
  readonly exit: Promise<number | NodeJS.Signals>;
}

/** Ends with the test. */
export function startCli(args: readonly string[], { env = {}, stdin }: CliOptions = {}): RunningCli {
  const child = spawn(process.execPath, [MAIN, ...args], {
    // Nothing of the machine's own settings, no warning that node:sqlite is young, and types stripped once for all processes.
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', NODE_COMPILE_CACHE, ...env },
    stdio: 'pipe',
  });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  onTestFinished(() => void child.kill('SIGKILL'));
  const stdout = lineQueue(child.stdout);
  const stderr = lineQueue(child.stderr);
  const exit = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
  });
  return {
    child,
    nextLine: () =>
      stdout.next(/^/).catch(() => Promise.reject(new Error(`No line. ${stderr.unread.join('\n')}`))),
    nextError: (pattern) => stderr.next(pattern),
    unread: { stdout: stdout.unread, stderr: stderr.unread },
    kill: (signal) => void child.kill(signal),
    exit,
  };
}

export interface CliResult {
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs to the end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const cli = startCli(args, options);
  const code = await cli.exit;
  return { code, stdout: cli.unread.stdout.join('\n'), stderr: cli.unread.stderr.join('\n') };
}

export interface ServedCli extends RunningCli {
  readonly url: string;
  /** `undefined` when it has none. */
  readonly webSocket: string | undefined;
  readonly start: {
    readonly db: string;
    readonly epoch: string;
    readonly revision: number;
    readonly flags: number;
  };
}

/** A real `serve` on a free port. */
export async function serveCli(args: readonly string[] = [], options: CliOptions = {}): Promise<ServedCli> {
  const cli = startCli(['serve', '--port', '0', '--db', ':memory:', ...args], options);
  const { listening, webSocket, ...start } = JSON.parse(await cli.nextLine());
  return { ...cli, url: listening, webSocket, start };
}

/** Loads flags without a process. */
export async function importFlags(url: string, flags: readonly object[]): Promise<void> {
  await ask(`${url}/api/v1/import`, 'POST', { flags });
}

/** Switches a flag without a process. */
export async function switchFlag(url: string, id: number, state: 'enabled' | 'disabled'): Promise<void> {
  await ask(`${url}/api/v1/flags/${id}/enabled`, 'PUT', { enabled: state === 'enabled' });
}

async function ask(address: string, method: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(address, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${address}: ${response.status} ${await response.text()}`);
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flagent-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function lineQueue(stream: NodeJS.ReadableStream) {
  const unread: string[] = [];
  let rest = '';
  let hasEnded = false;
  let check = (): void => {};
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    unread.push(...lines);
    check();
  });
  stream.on('close', () => {
    if (rest !== '') unread.push(rest);
    rest = '';
    hasEnded = true;
    check();
  });
  return {
    unread,
    next: (pattern: RegExp): Promise<string> =>
      new Promise((resolve, reject) => {
        check = () => {
          const index = unread.findIndex((line) => pattern.test(line));
          const [line] = index < 0 ? [] : unread.splice(0, index + 1).slice(-1);
          if (line !== undefined) resolve(line);
          else if (hasEnded) reject(new Error(`The output ended without ${pattern}: ${unread.join('\n')}`));
          else return;
          check = () => {};
        };
        check();
      }),
  };
}
