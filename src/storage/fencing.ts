/** Fencing: a hub that slept while another took over must not overwrite what the other has stored. */
import { FlagError } from '../core/errors.ts';

export function refuseOldTerm(term: number, currentTerm: number): void {
  if (term >= currentTerm) return;
  throw new FlagError(
    'superseded',
    `Write refused: leadership term ${term} is over, the term now is ${currentTerm}.`,
  );
}
