/** The newest things that happened, in words. Screen readers hear each new line. */
import { element } from './element.ts';
import { sayClock } from './say-time.ts';

export type EventKind = 'change' | 'connection' | 'service-worker' | 'world';

export interface EventLog {
  add(kind: EventKind, text: string): void;
}

const MAX_LINES = 100;

export function createEventLog(container: HTMLElement): EventLog {
  const lines = element('ol', {
    class: 'log',
    role: 'log',
    'aria-live': 'polite',
    tabindex: '0',
    'aria-label': 'Events',
  });
  container.append(element('h2', {}, 'What happened'), lines);

  return {
    add(kind, text) {
      const nowMs = Date.now();
      const time = element('time', { datetime: new Date(nowMs).toISOString() }, sayClock(nowMs));
      lines.prepend(element('li', { 'data-kind': kind }, time, element('span', {}, text)));
      while (lines.children.length > MAX_LINES) lines.lastElementChild?.remove();
    },
  };
}
