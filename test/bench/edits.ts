/** Tabs that note when they see a change, and edits on the server whose way through the browser is timed. */
import type { FlagClient } from '../../src/index.ts';
import type { Tab } from '../kit/engines.ts';
import type { FlagServer } from '../kit/flag-server.ts';

declare global {
  interface Window {
    bench: {
      /** From now on the next change is waited for. */
      arm(): void;
      /** The page has seen a change. */
      note(): void;
      /** When it saw the first change since `arm`, milliseconds since 1970 by the page's clock. */
      seenAtMs: Promise<number>;
      client?: FlagClient;
    };
  }
}

/** Prepares a page for `arm`, `note` and `seenAtMs`. */
function installNotebook(): void {
  let resolve: (atMs: number) => void = () => {};
  window.bench = {
    seenAtMs: Promise.resolve(0),
    arm() {
      window.bench.seenAtMs = new Promise((settle) => {
        resolve = settle;
      });
    },
    note: () => resolve(performance.timeOrigin + performance.now()),
  };
}

/** Opens the client in a page of the client site, waits for flags, and from then on notes every change of the flag. */
export async function watchWithClient(tab: Tab, url: string, flagKey: string): Promise<void> {
  await tab.evaluate(installNotebook);
  await tab.evaluate(
    async (at) => {
      const client = window.flagentOffline.createFlagClient({ url: at.url, namespace: 'bench' });
      window.bench.client = client;
      await client.ready({ timeoutMs: 15_000 });
      client.subscribe(at.flagKey, () => window.bench.note());
    },
    { url, flagKey },
  );
}

/** The comparison: the browser's own EventSource in a page, with nothing in between. */
export async function watchWithEventSource(tab: Tab, url: string): Promise<void> {
  await tab.evaluate(installNotebook);
  await tab.evaluate(async (base) => {
    const events = new EventSource(`${base}/api/v1/events/stream`);
    await new Promise((resolve) => events.addEventListener('snapshot', resolve, { once: true }));
    const note = (event: MessageEvent<string>): void => {
      JSON.parse(event.data);
      window.bench.note();
    };
    events.addEventListener('flag_enabled', note);
    events.addEventListener('flag_disabled', note);
  }, url);
}

/** The time of this process on the scale of the pages: their clocks start at different edges of the same wall clock. */
async function clockOffsetMs(tab: Tab): Promise<number> {
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

/** Switches one flag on or off and waits until every tab has seen it. Times by the clock of whoever took them, milliseconds since 1970. */
export async function editFlag(
  server: FlagServer,
  tabs: readonly Tab[],
  edit: { readonly flagID: number; readonly enabled: boolean },
): Promise<{ readonly sentAtMs: number; readonly seenAtMs: readonly number[] }> {
  for (const tab of tabs) await tab.evaluate(() => window.bench.arm());
  const sentAtMs = performance.timeOrigin + performance.now();
  await server.rest(`/flags/${edit.flagID}/enabled`, { method: 'PUT', body: { enabled: edit.enabled } });
  const seenAtMs = await Promise.all(tabs.map((tab) => tab.evaluate(() => window.bench.seenAtMs)));
  return { sentAtMs, seenAtMs };
}

/** Switches an enabled flag off and on in turn, `count` times. Gives per edit the delay until each tab saw it, milliseconds. */
export async function timeEdits(
  server: FlagServer,
  tabs: readonly Tab[],
  edits: { readonly flagID: number; readonly count: number },
): Promise<readonly (readonly number[])[]> {
  const offsetsMs: number[] = [];
  for (const tab of tabs) offsetsMs.push(await clockOffsetMs(tab));
  const delaysMs: number[][] = [];
  for (let index = 0; index < edits.count; index += 1) {
    const { sentAtMs, seenAtMs } = await editFlag(server, tabs, {
      flagID: edits.flagID,
      enabled: index % 2 === 1,
    });
    delaysMs.push(seenAtMs.map((atMs, tab) => atMs - (offsetsMs[tab] ?? 0) - sentAtMs));
  }
  return delaysMs;
}
