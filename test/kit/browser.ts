/** What a test can do with a real browser, whichever engine it is. Implementations are rows of `engines.ts`. */

/** One window of the application. Functions given to `evaluate` and `waitFor` run in the page: they see its globals and nothing of the test. */
export interface Tab {
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  /** As the button: gives when the tab shows another address. Needs a page to go back to. */
  goBack(): Promise<void>;
  /** Runs the function in the page and gives its awaited result; argument and result must be JSON. */
  evaluate<R, A = undefined>(run: (arg: A) => R, ...arg: Argument<A>): Promise<Awaited<R>>;
  /**
   * Asks in the page every few milliseconds until the answer is truthy, and gives that answer. Survives navigations.
   * After 15 s (`waitAtMostMs` of the launch) it throws, and the message names the question and the last answer.
   */
  waitFor<R, A = undefined>(ask: (arg: A) => R, ...arg: Argument<A>): Promise<Awaited<R>>;
  screenshot(path: string): Promise<void>;
  /** Page errors and console errors so far: for the message of a failed test. In WebKit as of the last `evaluate` or `waitFor`. */
  readonly complaints: readonly string[];
  /** Kills the process that shows this tab, with every worker it hosts and every tab it shows. The tab can only be closed afterwards. Needs `can.crashTab`. */
  crash(): Promise<void>;
  /** Stops all that the page does, while it keeps its locks, as browsers do with tabs in the background; without their events, unless `freezable` was asked for at the launch. Needs `can.freeze`. */
  freeze(): Promise<void>;
  unfreeze(): Promise<void>;
  close(): Promise<void>;
}

/** Makes the argument optional exactly when the function takes none. */
export type Argument<A> = A extends undefined ? [] : [arg: A];

/** What an engine's driver can do beyond the rest; `CAPABILITIES` says it per engine, and a call of something it cannot do throws. */
export interface Capabilities {
  /** `Tab.crash`. */
  readonly crashTab: boolean;
  /** `Browser.killSharedWorkers`. */
  readonly killSharedWorkers: boolean;
  /** `Browser.evaluateInSharedWorker`. */
  readonly evaluateInSharedWorker: boolean;
  /** `Tab.freeze` and `Tab.unfreeze`. */
  readonly freeze: boolean;
  /** A left page that holds a Web Lock is kept for the back button too. */
  readonly keepPageWithLocks: boolean;
}

/** One storage partition: all its tabs share workers, locks and databases. */
export interface Browser {
  readonly name: string;
  readonly version: string;
  readonly can: Capabilities;
  newTab(url?: string): Promise<Tab>;
  /**
   * Kills every SharedWorker of the browser, as a crash of its process would; tabs live on. Throws when there is none to kill.
   * Needs `can.killSharedWorkers`. WebKit needs `workersApart` at the launch too, and can do it once per origin: the next worker shares
   * the process of a tab. It may be done a moment after this has settled.
   */
  killSharedWorkers(): Promise<void>;
  /** As `Tab.evaluate`, in the one SharedWorker of the browser; throws when there is none or more than one. Needs `can.evaluateInSharedWorker`. */
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
  /** WebKit runs SharedWorkers in the process of the tab that asked first. On: in one that shows no tab, so that `killSharedWorkers` can end it. Default off. */
  readonly workersApart?: boolean;
  /** `Tab.freeze` is that of the browser itself, so that the page hears `freeze` and `resume`. Default off. */
  readonly freezable?: boolean;
  /** Deadline of `waitFor`, milliseconds. Default 15 000. */
  readonly waitAtMostMs?: number;
}
