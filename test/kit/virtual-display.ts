/** A screen that nobody sees, for a browser without a headless mode. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface VirtualDisplay {
  /** For the environment variable DISPLAY. */
  readonly name: string;
  stop(): Promise<void>;
}

/** Xvfb picks a free number and says it when it is ready. It dies with this process, however that ends. */
export async function startVirtualDisplay(xvfb: string): Promise<VirtualDisplay> {
  const screen = ['-screen', '0', '1280x900x24', '-nolisten', 'tcp', '-displayfd', '3'];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', xvfb, ...screen], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const number = await Promise.race([
    firstLine(child.stdio[3] as Readable),
    exited.then(() => Promise.reject(new Error(`${xvfb} ended before it was ready.`))),
  ]);
  return {
    name: `:${number}`,
    async stop() {
      child.kill();
      await exited;
    },
  };
}

async function firstLine(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  return text.trim();
}
