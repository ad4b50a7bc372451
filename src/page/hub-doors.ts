/** Ways to a hub, in the order in which they are tried: the one SharedWorker of this origin, else a hub in this tab. */
import { FlagError } from '../core/errors.ts';
import { type StartedWorker, startBuiltInWorker, startWorker } from './built-in-worker.ts';
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

/** As in `startBuiltInWorker`. */
const WORKER_NAME = 'flagent-offline';

/** Takes the early worker, for its first door or to let it go. Throws `environment` when a SharedWorker is asked for and the browser has none. */
export function hubDoors(
  { host = 'auto', worker }: Pick<FlagClientOptions, 'host' | 'worker'>,
  earlyWorker?: StartedWorker,
): readonly HubDoorOpener[] {
  if (host === 'tab') return [TAB];
  if (host === 'auto' && (typeof SharedWorker === 'undefined' || hasWorkerHung())) {
    earlyWorker?.port.close();
    return [TAB];
  }
  if (typeof SharedWorker === 'undefined')
    throw new FlagError('environment', 'This browser has no SharedWorker.');
  const workers = workerStarters(worker, earlyWorker).map(workerDoor);
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

function workerDoor(start: () => StartedWorker): HubDoorOpener {
  return {
    runsIn: 'shared-worker',
    open: async () => {
      const { port, failed } = start();
      const failure = new AbortController();
      void failed.then(() => failure.abort());
      return { runsIn: 'shared-worker', port, loadFailure: failure.signal, leave: () => port.close() };
    },
  };
}

function workerStarters(
  choice: FlagClientOptions['worker'],
  earlyWorker: StartedWorker | undefined,
): readonly (() => StartedWorker)[] {
  const named = (url: string | URL) => () => startWorker(new SharedWorker(url, { name: WORKER_NAME }));
  if (choice !== undefined)
    return ['create' in choice ? () => startWorker(choice.create()) : named(choice.url)];
  const unmovedUrl = unmovedWorkerUrl(import.meta.url);
  const builtIn = earlyWorker === undefined ? startBuiltInWorker : () => earlyWorker;
  return unmovedUrl === undefined ? [builtIn] : [builtIn, named(unmovedUrl)];
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
