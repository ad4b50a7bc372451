/** Faults that this page makes in its own browser; those of the network are made by the demo's server. */
import { CRASH, CRASH_CHANNEL } from './crash-signal.ts';

export interface WorkerCrash {
  /** Every shared worker of the demo is gone at once; nobody is told. */
  crash(): void;
}

/** `onCrash` hears of a crash that another tab has asked for. */
export function createWorkerCrash(onCrash: () => void): WorkerCrash {
  const channel = new BroadcastChannel(CRASH_CHANNEL);
  channel.onmessage = ({ data }) => data === CRASH && onCrash();
  return { crash: () => channel.postMessage(CRASH) };
}

/** Deletes every database of this origin, open or not. Gives their number. */
export async function deleteDatabases(): Promise<number> {
  const databases = await indexedDB.databases();
  const deletions = databases.flatMap(({ name }) => (name === undefined ? [] : [deleteDatabase(name)]));
  return (await Promise.all(deletions)).length;
}

/** Settles when it is gone: whoever has it open is asked to close it first. */
function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
