/** `status` in the words of the page. The one place where a state becomes text and colour. */
import type { FlagStatus, ServiceWorkerStatus } from 'flagent-offline';
import { sayAge, sayWait } from './say-time.ts';

export interface Said {
  readonly mood: 'good' | 'busy' | 'bad' | 'still';
  readonly title: string;
  readonly detail: string;
}

export function sayConnection({ connection }: FlagStatus, nowMs: number): Said {
  switch (connection.is) {
    case 'live':
      return { mood: 'good', title: 'Live', detail: `connected ${sayAge(nowMs - connection.sinceMs)}` };
    case 'connecting':
      return { mood: 'busy', title: 'Connecting', detail: `attempt ${connection.attempt}` };
    case 'waiting':
      return {
        mood: 'bad',
        title: 'Offline',
        detail: `next try ${sayWait(connection.retryAtMs - nowMs)} · ${connection.reason}`,
      };
    case 'polling':
      return {
        mood: 'busy',
        title: 'Polling',
        detail: `asks ${sayWait(connection.nextPollAtMs - nowMs)} · ${connection.reason}`,
      };
    case 'paused':
      return { mood: 'still', title: 'Paused', detail: sayPause(connection.reasons) };
    case 'stopped':
      return { mood: 'bad', title: 'Stopped', detail: connection.reason };
  }
}

/** Several can hold at once; the first is the one that people need to know. */
export function sayPause(reasons: readonly string[]): string {
  const [first = ''] = reasons;
  return PAUSES[first] ?? first;
}

const PAUSES: Readonly<Record<string, string>> = {
  starting: 'the hub is starting',
  'no active tab': 'no tab uses the hub that streams',
  'waiting for the stream lock': 'another hub is about to stream',
  forgotten: 'the flags were wiped',
};

export function sayHost(host: FlagStatus['host']): string {
  return { 'shared-worker': 'Shared worker', tab: 'This tab', follower: 'Another hub' }[host];
}

export function saySource(source: FlagStatus['source']): string {
  return {
    none: 'nothing yet',
    bootstrap: 'from the page',
    storage: 'from storage',
    server: 'from the server',
  }[source];
}

export function sayServiceWorker(status: ServiceWorkerStatus): string {
  switch (status.is) {
    case 'unsupported':
      return `not available (${status.reason})`;
    case 'installing':
      return status.isUpdate ? 'installing a new version' : 'installing';
    case 'waiting':
      return 'a new version is ready';
    case 'controlling':
      return 'ready for offline starts';
    case 'failed':
      return `failed: ${status.error.message}`;
    default:
      return status.is;
  }
}
