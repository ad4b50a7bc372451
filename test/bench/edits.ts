/** Tabs that note when they see a change, and edits on the server whose way through the browser is timed. */
import type { FlagClient } from '../../src/index.ts';
import type { Tab } from '../kit/engines.ts';
import type { FlagServer } from '../kit/flag-server.ts';

declare global {
  interface Window {
    bench: {
      client?: FlagClient;
      /** Settles with the time, milliseconds since 1970, at which the page saw its n-th change of the flag, counted from 0. */
      seenAtMs(change: number): Promise<number>;
    };
  }
}

/** Opens the client in a page of the client site, waits for flags and from then on notes every change of the flag. */
export async function watchWithClient(tab: Tab, url: string, flagKey: string): Promise<void> {
  await tab.evaluate(
    async (at) => {
      const seen: number[] = [];
      const waiting = new Map<number, (atMs: number) => void>();
      const client = window.flagentOffline.createFlagClient({ url: at.url, namespace: 'bench' });
      await client.ready({ timeoutMs: 15_000 });
      client.subscribe(at.flagKey, () => {
        const atMs = performance.timeOrigin + performance.now();
        seen.push(atMs);
        waiting.get(seen.length - 1)?.(atMs);
      });
      window.bench = {
        client,
        seenAtMs: (change) =>
          new Promise((resolve) => {
            const atMs = seen[change];
            if (atMs === undefined) waiting.set(change, resolve);
            else resolve(atMs);
          }),
      };
    },
    { url, flagKey },
  );
}

/** The comparison: the browser's own EventSource in a page, with nothing in between. */
export async function watchWithEventSource(tab: Tab, url: string): Promise<void> {
  await tab.evaluate(async (base) => {
    const seen: number[] = [];
    const waiting = new Map<number, (atMs: number) => void>();
    const events = new EventSource(`${base}/api/v1/events/stream`);
    await new Promise((resolve) => events.addEventListener('snapshot', resolve, { once: true }));
    for (const type of ['flag_enabled', 'flag_disabled']) {
      events.addEventListener(type, (event) => {
        JSON.parse((event as MessageEvent<string>).data);
        const atMs = performance.timeOrigin + performance.now();
        seen.push(atMs);
        waiting.get(seen.length - 1)?.(atMs);
      });
    }
    window.bench = {
      seenAtMs: (change) =>
        new Promise((resolve) => {
          const atMs = seen[change];
          if (atMs === undefined) waiting.set(change, resolve);
          else resolve(atMs);
        }),
    };
  }, url);
}

/** The time of this process on the scale of the pages: their clocks start at different edges of the same wall clock. */
export async function clockOffsetMs(tab: Tab): Promise<number> {
  return (await tab.evaluate(aheadOfWallClockMs)) - aheadOfWallClockMs();
}

/** How far `performance` is ahead of `Date`, from 200 edges of the millisecond; runs alike in a page and in Node. */
function aheadOfWallClockMs(): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let edge = 0; edge < 200; edge += 1) {
    const startMs = Date.now();
    let nowMs = startMs;
    while (nowMs === startMs) nowMs = Date.now();
    leastMs = Math.min(leastMs, performance.timeOrigin + performance.now() - nowMs);
  }
  return leastMs;
}

/** One edit after the other, each waited for in every tab. Gives per edit the delay until each tab saw it, milliseconds. */
export async function timeEdits(
  server: FlagServer,
  flagID: number,
  tabs: readonly Tab[],
  edits: { readonly first: number; readonly count: number },
): Promise<readonly (readonly number[])[]> {
  const offsetsMs: number[] = [];
  for (const tab of tabs) offsetsMs.push(await clockOffsetMs(tab));
  const delaysMs: number[][] = [];
  for (let edit = edits.first; edit < edits.first + edits.count; edit += 1) {
    const seen = tabs.map((tab) => tab.evaluate((change) => window.bench.seenAtMs(change), edit));
    const sentAtMs = performance.timeOrigin + performance.now();
    await server.rest(`/flags/${flagID}/enabled`, { method: 'PUT', body: { enabled: edit % 2 === 1 } });
    const seenAtMs = await Promise.all(seen);
    delaysMs.push(seenAtMs.map((atMs, tab) => atMs - (offsetsMs[tab] ?? 0) - sentAtMs));
  }
  return delaysMs;
}
