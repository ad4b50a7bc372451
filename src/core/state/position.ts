/** What a heartbeat tells: where the stream stands, compared with what is held. */
import type { EventId } from '../model.ts';
import type { Held } from './reduce.ts';

/**
 * `current`: nothing is missing. `lost`: the server has sent something that is not held. `behind`: the server holds an older state of the
 * same epoch: a replica that lags, or a backup that was restored. A filter leaves revisions out, so being ahead alone loses nothing.
 */
export function judgePosition(held: Held, { epoch, revision }: EventId): 'current' | 'lost' | 'behind' {
  if (epoch !== held.epoch || (revision > held.revision && !held.isFiltered)) return 'lost';
  return revision < held.revision ? 'behind' : 'current';
}
