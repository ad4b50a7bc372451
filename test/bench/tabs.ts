/** How long an edit on the server takes until tabs see it: one tab, ten tabs, and a bare EventSource beside them for comparison. */
import { startClientSite } from '../kit/client-site.ts';
import { launchBrowser, type Tab } from '../kit/engines.ts';
import { startFlagServer } from '../kit/flag-server.ts';
import { buildFlags } from '../kit/flags.ts';
import { timeEdits, watchWithClient, watchWithEventSource } from './edits.ts';
import type { Row } from './report.ts';

const TABS = 10;
const WARM_UP = 20;
const EDITS = 200;
/** Like a small company's; the edited flag is the first. */
const FLAGS = 100;

export async function benchTabs(): Promise<readonly Row[]> {
  const [browser, server, site] = await Promise.all([
    launchBrowser('chromium', { waitAtMostMs: 30_000 }),
    startFlagServer(),
    startClientSite(),
  ]);
  try {
    const flags = buildFlags(FLAGS).map((flag) => ({ ...flag, enabled: true }));
    const [edited] = flags;
    if (edited === undefined) throw new Error('There is no flag to edit.');
    await server.rest('/import', { method: 'POST', body: { flags } });

    const openTab = async (): Promise<Tab> => {
      const tab = await browser.newTab(`${site.url}/`);
      await watchWithClient(tab, server.url, edited.key);
      return tab;
    };
    const bare = await browser.newTab(`${site.url}/`);
    await watchWithEventSource(bare, server.url);
    const tabs = [await openTab()];

    const measure = async (): Promise<readonly (readonly number[])[]> => {
      await timeEdits(server, [bare, ...tabs], { flagID: edited.id, count: WARM_UP });
      return timeEdits(server, [bare, ...tabs], { flagID: edited.id, count: EDITS });
    };
    const withOne = await measure();
    while (tabs.length < TABS) tabs.push(await openTab());
    const withMany = await measure();

    const { streams } = await server.health();
    if (streams !== 2)
      throw new Error(`Expected two streams, the client's and the EventSource's, found ${streams}.`);
    return [...rows(withOne, 1), ...rows(withMany, TABS)];
  } finally {
    await Promise.all([browser.close(), server.close(), site.stop()]);
  }
}

/** The first delay of each edit is the EventSource's. */
function rows(delaysMs: readonly (readonly number[])[], tabs: number): Row[] {
  const row = (name: string, samples: readonly number[]): Row => ({ name, unit: 'ms', samples });
  const ofTabs = delaysMs.map(([, ...rest]) => rest);
  const name = tabs === 1 ? '1 tab' : `${tabs} tabs`;
  return [
    row(
      `edit to bare EventSource, beside ${name}`,
      delaysMs.flatMap(([first]) => first ?? []),
    ),
    row(`edit to each of ${name}`, ofTabs.flat()),
    row(
      `edit to the last of ${name}`,
      ofTabs.map((delays) => Math.max(...delays)),
    ),
  ];
}
