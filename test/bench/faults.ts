/**
 * What a fault costs, per engine and host, with five tabs: the time until the browser notices (the first status that is not `live`, or the
 * next stream at the server), until a stream is open again, and until every tab shows an edit that was made right after the fault. Also
 * printed as the table of the README. `ENGINES` chooses engines, `FAULT_RUNS` how often each fault is made.
 */
import { chooseEngines } from '../kit/chosen-engines.ts';
import { startClientSite } from '../kit/client-site.ts';
import { type EngineName, launchBrowser } from '../kit/engines.ts';
import { startFaultProxy } from '../kit/fault-proxy.ts';
import { buildFlags } from '../kit/flags.ts';
import { startChaosServer } from '../kit/real-chaos-server.ts';
import type { ChaosHost } from '../kit/real-chaos-steps.ts';
import { FAULTS, type Fault, WORKER_CRASH } from './fault-table.ts';
import { edit, type FaultStage, firstNoticedAtMs, openTabs, untilQuiet, untilShown } from './fault-tabs.ts';
import { percentile, type Row } from './report.ts';

const RUNS = Number(process.env.FAULT_RUNS ?? 7);
const RUNS_OF_WORKER_CRASH = 2 * RUNS + 1;
interface Cell {
  readonly fault: Fault;
  readonly engine: EngineName;
  readonly host: ChaosHost;
  readonly noticedMs: number[];
  readonly streamsMs: number[];
  readonly currentMs: number[];
}

export async function benchFaults(): Promise<readonly Row[]> {
  const cells: Cell[] = [];
  for (const engine of chooseEngines()) cells.push(...(await benchEngine(engine)));
  console.log(`\n${markdownTable(cells)}`);
  return cells.flatMap(rows);
}

async function benchEngine(engine: EngineName): Promise<readonly Cell[]> {
  const server = await startChaosServer(buildFlags(20));
  const [browser, site, proxy] = await Promise.all([
    launchBrowser(engine, { waitAtMostMs: 30_000 }),
    startClientSite(),
    startFaultProxy(server.url),
  ]);
  try {
    // A window without a client keeps the browser itself alive.
    await browser.newTab();
    const cells: Cell[] = [];
    for (const fault of FAULTS.filter(({ engines }) => engines.includes(engine))) {
      for (const host of fault.hosts) {
        const cell: Cell = { fault, engine, host, noticedMs: [], streamsMs: [], currentMs: [] };
        cells.push(cell);
        const runs = fault.name === WORKER_CRASH ? RUNS_OF_WORKER_CRASH : RUNS;
        for (let run = 0; run < runs; run += 1) {
          const options: FaultStage['options'] = {
            url: proxy.url,
            namespace: `${fault.name} ${host} ${run}`,
            host: host === 'tab' ? 'tab' : 'auto',
            // One of its own for each run: Firefox never starts a worker again whose process has crashed.
            worker: { url: `/lesser-worker.js?of=${fault.name}${run}` },
            ...(fault.silenceMs !== undefined && { connection: { silenceMs: fault.silenceMs } }),
          };
          await timeOnce(cell, { browser, siteUrl: site.url, server, proxy, options, tabs: [] });
        }
      }
    }
    return cells;
  } finally {
    await Promise.all([browser.close(), site.stop(), proxy.stop()]);
    await server.close();
  }
}

/** New tabs and a new namespace for each run: neither failures counted before nor a warm hub may help or hinder. */
async function timeOnce(cell: Cell, stage: FaultStage): Promise<void> {
  const { server } = stage;
  const all: FaultStage['tabs'] = [];
  try {
    await openTabs(stage);
    all.push(...stage.tabs);
    await untilQuiet(stage);
    const { atMs, endedAtMs = atMs, revision = await edit(server) } = await cell.fault.make(stage);
    const shownAtMs = await untilShown(stage, revision);
    const streamAtMs = server.streamsOpenedAtMs.find((openedAtMs) => openedAtMs >= atMs);
    const noticed = [await firstNoticedAtMs(stage), streamAtMs].filter((time) => time !== undefined);
    cell.currentMs.push(shownAtMs - endedAtMs);
    if (streamAtMs !== undefined) cell.streamsMs.push(streamAtMs - endedAtMs);
    if (noticed.length > 0) cell.noticedMs.push(Math.min(...noticed) - atMs);
  } finally {
    for (const tab of all) await tab.close().catch(() => {});
    while ((await server.health()).streams > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function rows({ fault, engine, host, noticedMs, streamsMs, currentMs }: Cell): Row[] {
  const row = (what: string, samples: readonly number[]): Row => ({
    name: `${engine}, ${host}: ${fault.name}: ${what}`,
    unit: 'ms',
    samples,
  });
  const all = [row('noticed', noticedMs), row('stream again', streamsMs), row('current again', currentMs)];
  // Where the stream went on there was nothing to notice.
  return all.filter(({ samples }) => samples.length > 0);
}

function markdownTable(cells: readonly Cell[]): string {
  const engines = [...new Set(cells.map(({ engine }) => engine))];
  const line = (parts: readonly string[]): string => `| ${parts.join(' | ')} |`;
  const medians = (engine: EngineName, name: string, host: ChaosHost): string => {
    const cell = cells.find(
      (each) => each.engine === engine && each.fault.name === name && each.host === host,
    );
    return cell === undefined ? '–' : `${median(cell.noticedMs)} / ${median(cell.currentMs)}`;
  };
  return [
    line(['fault', 'host', 'what the user sees', ...engines]),
    line(['---', '---', '---', ...engines.map(() => '--:')]),
    ...FAULTS.flatMap(({ name, hosts, seen }) =>
      hosts.map((host) => line([name, host, seen, ...engines.map((engine) => medians(engine, name, host))])),
    ),
  ].join('\n');
}

function median(samples: readonly number[]): string {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted.length === 0 ? '–' : `${Math.round(percentile(sorted, 0.5))}`;
}
