/** Ways to start or join the one SharedWorker of this origin, in the order in which they are tried. */
import { FlagError } from '../core/errors.ts';
import type { FlagClientOptions } from './flag-client.ts';

/** One name for all scopes: the worker is loaded once per origin. Stands as a literal in `builtInWorker` too. */
const WORKER_NAME = 'flagent-offline';

/** Throws `environment` when the browser has no SharedWorker. */
export function workerStarters(choice: FlagClientOptions['worker']): readonly (() => SharedWorker)[] {
  if (typeof SharedWorker === 'undefined') {
    throw new FlagError('environment', 'This browser has no SharedWorker.');
  }
  if (choice !== undefined) {
    return ['create' in choice ? choice.create : () => new SharedWorker(choice.url, { name: WORKER_NAME })];
  }
  const unmovedUrl = unmovedWorkerUrl(import.meta.url);
  if (unmovedUrl === undefined) return [builtInWorker];
  return [builtInWorker, () => new SharedWorker(unmovedUrl, { name: WORKER_NAME })];
}

function builtInWorker(): SharedWorker {
  // Bundlers find the worker by this literal expression; our build takes the comment away.
  return new SharedWorker(new URL(/* @vite-ignore */ './shared-worker.js', import.meta.url), {
    name: 'flagent-offline',
  });
}

/** Vite before version 8 moves this module to `node_modules/.vite/deps` in development, without the worker beside it. */
export function unmovedWorkerUrl(moduleUrl: string): string | undefined {
  const moved = /^(.*\/)\.vite\/deps[^/]*\/[^/]+$/.exec(moduleUrl);
  return moved === null ? undefined : `${moved[1]}flagent-offline/dist/shared-worker.js`;
}
