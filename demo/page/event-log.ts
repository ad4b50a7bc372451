/** What happened, newest first: in plain words, and on demand every entry of the hub's trace between them. Screen readers hear the words. */
import { button, element } from './element.ts';
import { sayClock } from './say-time.ts';

export type EventKind =
  | 'change'
  | 'connection'
  | 'hub'
  | 'service-worker'
  | 'fault'
  | 'noticed'
  | 'recovered'
  | 'detail';

export interface EventLog {
  /** `atMs`: default now. What is told late goes to its place in time. */
  add(kind: EventKind, text: string, atMs?: number): void;
}

const MAX_LINES = 300;

export function createEventLog(container: HTMLElement): EventLog {
  const lines = element('ol', {
    class: 'log',
    role: 'log',
    'aria-live': 'polite',
    tabindex: '0',
    'aria-label': 'Events',
  });
  const details = button('Show details', toggleDetails, { class: 'quiet small', 'aria-pressed': 'false' });
  container.append(
    element('div', { class: 'panel-head' }, element('h2', {}, 'What happened'), details),
    lines,
  );

  function toggleDetails(): void {
    const isShown = lines.classList.toggle('with-details');
    details.setAttribute('aria-pressed', String(isShown));
  }

  return {
    add(kind, text, atMs = Date.now()) {
      const time = element('time', { datetime: new Date(atMs).toISOString() }, sayClock(atMs));
      const isDetail = kind === 'detail';
      const line = element(
        'li',
        { 'data-kind': kind, 'aria-live': isDetail && 'off' },
        time,
        element(isDetail ? 'code' : 'span', {}, text),
      );
      line.dataset.atMs = String(atMs);
      const next = [...lines.children].find((other) => atMsOf(other) <= atMs);
      lines.insertBefore(line, next ?? null);
      while (lines.children.length > MAX_LINES) lines.lastElementChild?.remove();
    },
  };
}

function atMsOf(line: Element): number {
  return line instanceof HTMLElement ? Number(line.dataset.atMs) : 0;
}
