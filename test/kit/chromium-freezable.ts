/**
 * A Chromium whose pages can be frozen. Playwright makes every page it launches look focused, and Chromium freezes no page that is looked
 * at; only a browser that playwright has joined, and not started, can be spared that.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type BrowserContext, chromium, type Browser as Program } from 'playwright-core';
import { killWithDescendants } from './processes.ts';

export interface FreezableChromium {
  readonly program: Program;
  readonly context: BrowserContext;
  /** Ends the process and removes its profile. */
  stop(): Promise<void>;
}

export async function startFreezableChromium(
  executablePath: string,
  args: readonly string[],
): Promise<FreezableChromium> {
  const profileDir = await mkdtemp(join(tmpdir(), 'flagent-chromium-'));
  const child = spawn(
    executablePath,
    ['--headless', ...args, '--remote-debugging-port=0', `--user-data-dir=${profileDir}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined) killWithDescendants(child.pid);
    await rm(profileDir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const program = await chromium.connectOverCDP(await endpointOf(child.stderr), { noDefaults: true });
    const [context] = program.contexts();
    if (context === undefined) throw new Error('Chromium shows no window.');
    return { program, context, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Chromium says on which port it lets itself be driven. */
async function endpointOf(stderr: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stderr })) {
    const [endpoint] = /ws:\/\/\S+/.exec(line) ?? [];
    if (endpoint !== undefined) {
      stderr.resume();
      return endpoint;
    }
  }
  throw new Error('Chromium ended before it could be driven.');
}
