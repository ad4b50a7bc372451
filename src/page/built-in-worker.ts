/** The SharedWorker that comes with the package. The page starts it before it has the code that speaks to it, so that both load at once. */
import type { FlagClientOptions } from './flag-client.ts';

export interface StartedWorker {
  readonly port: MessagePort;
  /** Settles when the worker's script could not be loaded; later, in some browsers, for any uncaught error, which is not the end. */
  readonly failed: Promise<unknown>;
}

export function startWorker(worker: SharedWorker): StartedWorker {
  return {
    port: worker.port,
    failed: new Promise((resolve) => {
      worker.onerror = resolve;
    }),
  };
}

export function startBuiltInWorker(): StartedWorker {
  // Bundlers find the worker by this literal expression; our build takes the comment away. One name for all scopes: one worker per origin.
  return startWorker(
    new SharedWorker(new URL(/* @vite-ignore */ './shared-worker.js', import.meta.url), {
      name: 'flagent-offline',
    }),
  );
}

/** `undefined` where it is not wanted or cannot be started: the code that needs it finds out why. */
export function startEarly({ host, worker }: FlagClientOptions): StartedWorker | undefined {
  try {
    return host === 'tab' || worker ? undefined : startBuiltInWorker();
  } catch {
    return undefined;
  }
}
