/** Ways to a hub, in the order in which they are tried: the one SharedWorker of this origin, else a hub in this tab. */
import { FlagError } from '../core/errors.ts';
import type { FlagClientOptions } from './flag-client.ts';

export interface HubDoor {
  readonly runsIn: 'shared-worker' | 'tab';
  readonly port: MessagePort;
  /** Aborted when the worker's script could not be loaded. */
  readonly loadFailure: AbortSignal;
  /** Lets go of the port, and of a hub in this tab. */
  leave(): void;
}

export interface HubDoorOpener {
  readonly runsIn: HubDoor['runsIn'];
  open(): Promise<HubDoor>;
}

/** One name for all scopes: the worker is loaded once per origin. Stands as a literal in `builtInWorker` too. */
const WORKER_NAME = 'flagent-offline';

/** Throws `environment` when a SharedWorker is asked for and the browser has none. */
export function hubDoors({
  host = 'auto',
  worker,
}: Pick<FlagClientOptions, 'host' | 'worker'>): readonly HubDoorOpener[] {
  if (host === 'tab') return [TAB];
  if (host === 'auto' && (typeof SharedWorker === 'undefined' || hasWorkerHung())) return [TAB];
  if (typeof SharedWorker === 'undefined')
    throw new FlagError('environment', 'This browser has no SharedWorker.');
  const workers = workerStarters(worker).map(workerDoor);
  return host === 'auto' ? [...workers, TAB] : workers;
}

const TAB: HubDoorOpener = {
  runsIn: 'tab',
  open: async () => {
    // A file of its own: browsers whose SharedWorker works never load it.
    const { enterTabHost } = await import('../host/tab-host.ts');
    return { runsIn: 'tab', loadFailure: new AbortController().signal, ...enterTabHost() };
  },
};

function workerDoor(start: () => SharedWorker): HubDoorOpener {
  return {
    runsIn: 'shared-worker',
    open: async () => {
      const worker = start();
      const failure = new AbortController();
      // Fires when the script cannot be loaded; later, in some browsers, for any uncaught error, which is not the end.
      worker.addEventListener('error', () => failure.abort());
      return {
        runsIn: 'shared-worker',
        port: worker.port,
        loadFailure: failure.signal,
        leave: () => worker.port.close(),
      };
    },
  };
}

function workerStarters(choice: FlagClientOptions['worker']): readonly (() => SharedWorker)[] {
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

const HUNG = 'flagent-offline:worker-hangs';

/** A worker that neither answers nor fails costs seconds at every start, so it is not tried again in this tab's session. */
export function rememberHungWorker(): void {
  try {
    sessionStorage.setItem(HUNG, 'yes');
  } catch {
    // Storage is blocked: the next start waits again.
  }
}

function hasWorkerHung(): boolean {
  try {
    return sessionStorage.getItem(HUNG) !== null;
  } catch {
    return false;
  }
}
