/** Why a request failed, in words. */

/** Node says only "fetch failed"; what failed is in the causes. */
export function reasonOf(error: unknown): string {
  const { message, code, cause } = Object(error) as { message?: string; code?: string; cause?: unknown };
  // The sentence goes on behind it.
  const own = (message || code || String(error)).replace(/\.+$/, '');
  return cause === undefined || cause === null ? own : `${own}: ${reasonOf(cause)}`;
}
