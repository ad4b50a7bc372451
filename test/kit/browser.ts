/** What a test can do with a real browser, whichever engine it is. Implementations are rows of `engines.ts`. */

/** One window of the application. Functions given to `evaluate` and `waitFor` run in the page: they see its globals and nothing of the test. */
export interface Tab {
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Runs the function in the page and gives its awaited result; argument and result must be JSON. */
  evaluate<R, A = undefined>(run: (arg: A) => R, ...arg: Argument<A>): Promise<Awaited<R>>;
  /**
   * Asks in the page every few milliseconds until the answer is truthy, and gives that answer. Survives navigations.
   * After 15 s (`waitAtMostMs` of the launch) it throws, and the message names the question and the last answer.
   */
  waitFor<R, A = undefined>(ask: (arg: A) => R, ...arg: Argument<A>): Promise<Awaited<R>>;
  screenshot(path: string): Promise<void>;
  /** Page errors and console errors so far: for the message of a failed test. */
  readonly complaints: readonly string[];
  /** Kills the process that shows this tab, with every worker it hosts. The tab can only be closed afterwards. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

/** Makes the argument optional exactly when the function takes none. */
export type Argument<A> = A extends undefined ? [] : [arg: A];

/** One storage partition: all its tabs share workers, locks and databases. */
export interface Browser {
  readonly name: string;
  readonly version: string;
  newTab(url?: string): Promise<Tab>;
  /** Kills every SharedWorker of the browser, as a crash of its process would; tabs live on. Gives their number. */
  killSharedWorkers(): Promise<number>;
  /** As `Tab.evaluate`, in the one SharedWorker of the browser; throws when there is none or more than one. */
  evaluateInSharedWorker<R, A = undefined>(run: (arg: A) => R, ...arg: Argument<A>): Promise<Awaited<R>>;
  /** The whole browser dies at once, without a chance to save anything. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

export interface LaunchOptions {
  /** Folder of a profile that outlives the browser; without it everything stored is gone at `close`. */
  readonly profileDir?: string;
  /** Further arguments of the browser's program. */
  readonly args?: readonly string[];
  /** Keeps left pages alive for the back button, as users have it. Default off. */
  readonly backForwardCache?: boolean;
  /** Deadline of `waitFor`, milliseconds. Default 15 000. */
  readonly waitAtMostMs?: number;
}
