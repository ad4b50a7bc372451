/**
 * Which build of the worker a page uses. A deploy is played by another address of the same file, which is all that a browser goes by.
 * As with a real one, pages that open later use the newest build, and those that are open stay with theirs.
 */

const NEWEST_BUILD = 'demo-newest-build';

export function newestBuild(): number {
  return Number(localStorage.getItem(NEWEST_BUILD) ?? 1);
}

/** Gives the number of the new build. */
export function deployBuild(): number {
  const build = newestBuild() + 1;
  localStorage.setItem(NEWEST_BUILD, String(build));
  return build;
}

export function workerUrl(build: number): URL {
  return new URL(`flag-worker.js?v=${build}`, document.baseURI);
}
