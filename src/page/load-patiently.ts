/** Loads a file that the page cannot do without, again and again: it can be out of reach for a while, or gone with a deploy for good. */

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Settles with what was loaded, or with nothing when it is not wanted any more. After each failure `onFailure` is told why, and another attempt follows. */
export async function loadPatiently<T>(
  load: () => Promise<T>,
  isWanted: () => boolean,
  onFailure: (reason: string) => void,
): Promise<T | undefined> {
  let loadNow = load;
  for (let retry = 0; isWanted(); retry += 1) {
    try {
      return await loadNow();
    } catch (error) {
      // Firefox remembers a failure under the module's address as long as the page lives; with a fragment it is another address of the same file.
      const [address] = /https?:[^#\s]+/.exec(`${error}`) ?? [];
      if (address) {
        loadNow = () => import(/* @vite-ignore */ /* webpackIgnore: true */ `${address}#${retry}`);
      }
      if (isWanted()) {
        onFailure(`A file of this package could not be loaded. Reload the page if that lasts. ${error}`);
      }
      await new Promise((resolve) => {
        setTimeout(resolve, Math.min(FIRST_RETRY_MS * 2 ** retry, LONGEST_RETRY_MS));
        // Both may mean that the file can be reached again.
        addEventListener('online', resolve, { once: true });
        addEventListener('visibilitychange', resolve, { once: true });
      });
    }
  }
  return undefined;
}
