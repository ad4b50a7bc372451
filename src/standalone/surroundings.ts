/** What the page or worker around a client tells of its life. Node tells nothing. */

export interface SurroundingsListener {
  /** Something happened that makes an attempt worthwhile now. */
  wake(why: string): void;
  /** The network may be gone. */
  doubt(why: string): void;
  /** The page is left; it may come back from the back/forward cache, or never. */
  suspend(): void;
  resume(): void;
}

/** `globalThis` of a page or worker, or a fake. */
export interface Surroundings {
  readonly document?: { readonly visibilityState: string };
  addEventListener(type: string, listener: () => void, options: { readonly signal: AbortSignal }): void;
}

/** Listens until the signal fires. */
export function watchSurroundings(
  surroundings: Surroundings,
  signal: AbortSignal,
  { wake, doubt, suspend, resume }: SurroundingsListener,
): void {
  const on = (type: string, call: () => void): void => surroundings.addEventListener(type, call, { signal });
  on('online', () => wake('online'));
  on('offline', () => doubt('offline'));
  // Fired at the document; it bubbles to the window.
  on('visibilitychange', () => {
    if (surroundings.document?.visibilityState === 'visible') wake('visible');
  });
  // An open stream keeps a page out of the back/forward cache, or goes on there for nobody.
  on('pagehide', suspend);
  on('pageshow', resume);
}

/** `undefined` where there are no such events. */
export function findSurroundings(): Surroundings | undefined {
  return typeof addEventListener === 'function' ? (globalThis as Surroundings) : undefined;
}
