/** One line above the board when something matters: offline with the age of the data, or a new version that waits. */
import type { FlagStatus } from 'flagent-offline';
import { button, element, setText } from './element.ts';
import { sayCoarseAge } from './say-time.ts';

export interface Notices {
  showStatus(status: FlagStatus, nowMs: number): void;
  showUpdate(isReady: boolean): void;
}

export function createNotices(
  container: HTMLElement,
  press: { readonly retry: () => void; readonly update: () => void },
): Notices {
  const age = element('span');
  const offline = element(
    'div',
    { class: 'notice offline', hidden: true },
    age,
    button('Try now', press.retry),
  );
  const update = element(
    'div',
    { class: 'notice update', hidden: true },
    element('span', {}, 'A new version of this page is ready.'),
    button('Use it in all tabs', press.update),
  );
  // The regions are there from the start: what appears inside is read out.
  container.append(element('div', { role: 'status' }, offline), element('div', { role: 'status' }, update));

  return {
    showStatus(status, nowMs) {
      const isOffline = status.connection.is !== 'live' && status.source !== 'none' && hasFailed(status);
      offline.hidden = !isOffline;
      if (!isOffline) return;
      const { confirmedAtMs } = status;
      const from =
        confirmedAtMs === undefined ? 'of unknown age' : `from ${sayCoarseAge(nowMs - confirmedAtMs)}`;
      setText(age, `Offline, showing data ${from}.`);
    },
    showUpdate(isReady) {
      update.hidden = !isReady;
    },
  };
}

/** The first attempt after a start is not yet being offline. */
function hasFailed({ connection }: FlagStatus): boolean {
  return connection.is !== 'connecting' || connection.attempt > 1;
}
