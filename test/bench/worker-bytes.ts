/** Counts, inside the SharedWorker, what goes to IndexedDB and to the tabs: measured at the platform's own functions, not asked of our code. */
import type { Browser } from '../kit/engines.ts';

export interface WorkerBytes {
  /** Length of the JSON of all records put into IndexedDB. */
  readonly stored: number;
  /** Length of the JSON of all messages posted to ports. */
  readonly sent: number;
}

/** Starts to count in the browser's one SharedWorker. */
export async function countWorkerBytes(browser: Browser): Promise<void> {
  await browser.evaluateInSharedWorker(() => {
    const bytes = { stored: 0, sent: 0 };
    const lengthOf = (value: unknown): number => JSON.stringify(value)?.length ?? 0;
    for (const name of ['put', 'add'] as const) {
      const original = IDBObjectStore.prototype[name];
      IDBObjectStore.prototype[name] = function (this: IDBObjectStore, ...args: Parameters<typeof original>) {
        bytes.stored += lengthOf(args[0]);
        return original.apply(this, args);
      };
    }
    const { postMessage } = MessagePort.prototype;
    MessagePort.prototype.postMessage = function (this: MessagePort, ...args: unknown[]) {
      bytes.sent += lengthOf(args[0]);
      return Reflect.apply(postMessage, this, args);
    };
    Object.assign(globalThis, { benchBytes: bytes });
  });
}

export function workerBytes(browser: Browser): Promise<WorkerBytes> {
  return browser.evaluateInSharedWorker(
    () => (globalThis as unknown as { benchBytes: WorkerBytes }).benchBytes,
  );
}
