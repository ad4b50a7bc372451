/** What each engine's driver can do beyond the rest, as data: tests choose by it before anything is launched. */
import type { Capabilities } from './browser.ts';
import type { EngineName } from './find-engine.ts';

export const CAPABILITIES: Readonly<Record<EngineName, Capabilities>> = {
  chromium: {
    crashTab: true,
    killSharedWorkers: true,
    evaluateInSharedWorker: true,
    freeze: true,
    keepPageWithLocks: true,
  },
  firefox: {
    crashTab: true,
    killSharedWorkers: false,
    evaluateInSharedWorker: false,
    freeze: false,
    keepPageWithLocks: false,
  },
  webkit: {
    crashTab: false,
    killSharedWorkers: true,
    evaluateInSharedWorker: false,
    freeze: false,
    keepPageWithLocks: true,
  },
};

/** The answer of a method that the engine's driver has no means for. */
export function cannot(engine: EngineName, capability: keyof Capabilities): Promise<never> {
  return Promise.reject(
    new Error(`${engine} cannot ${capability} from outside; ask CAPABILITIES.${engine}.${capability} first.`),
  );
}
