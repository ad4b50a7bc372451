/** Fencing: a hub that slept while another took over must not overwrite what the other has stored. */
import { FlagError } from '../core/errors.ts';

/**
 * `currentTerm` is `undefined` in a store that was made anew under a running term (deleted, cleared, or memory instead of it): that term
 * goes on. Any other term is over, a higher one too: its store is gone, and somebody has begun to count again.
 * Revisions are not compared: what is newer is decided by `core/state/reduce` alone, and in one term only one hub writes.
 */
export function refuseOtherTerm(term: number, currentTerm: number | undefined): void {
  if (currentTerm === undefined || term === currentTerm) return;
  throw new FlagError(
    'superseded',
    `Write refused: leadership term ${term} is over, the term now is ${currentTerm}.`,
  );
}
