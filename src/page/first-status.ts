/** The status of a tab that no hub has told anything yet. */
import type { ConnectionStatus, FlagStatus } from '../core/state/status.ts';

export function firstStatus(connection: ConnectionStatus): FlagStatus & { readonly source: 'none' } {
  return {
    source: 'none',
    connection,
    storage: 'persistent',
    host: 'shared-worker',
    epoch: undefined,
    revision: undefined,
    confirmedAtMs: undefined,
    stale: true,
    tabs: 1,
  };
}
