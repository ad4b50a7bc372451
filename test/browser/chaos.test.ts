/**
 * Random schedules of everything that goes wrong, in real tabs of every chosen engine at once: a run of all projects pays for them once,
 * in the project of the first engine. During a schedule the server has one stream, and every tab shows states that the server had and never
 * goes back; after it all tabs are current.
 *
 * `CHAOS_SECONDS`: how long each engine plays. `CHAOS_FIRST_SEED`: which schedules, one after another from this one. `CHAOS_SEED`: plays only
 * this one schedule, and shrinks it when it fails.
 */
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { startFaultProxy } from '../../src/testing/fault-proxy.ts';
import { CAPABILITIES } from '../kit/capabilities.ts';
import { chooseEngines } from '../kit/chosen-engines.ts';
import { startClientSite } from '../kit/client-site.ts';
import { engine } from '../kit/engine-under-test.ts';
import { type EngineName, launchBrowser } from '../kit/engines.ts';
import { buildFlags } from '../kit/flags.ts';
import { readHistory } from '../kit/real-chaos-history.ts';
import { type ChaosServer, startChaosServer } from '../kit/real-chaos-server.ts';
import { arbRealSchedule, type RealStep } from '../kit/real-chaos-steps.ts';
import { createRealWorld } from '../kit/real-chaos-world.ts';

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 120);
const SEED = process.env.CHAOS_SEED === undefined ? undefined : Number(process.env.CHAOS_SEED);
/** The same schedules in every run, so that a red one is red for whoever looks; another first one hunts for more. */
const FIRST_SEED = Number(process.env.CHAOS_FIRST_SEED ?? 1);
const FLAGS = 5;
/** A worker without tabs may live a while longer. */
const ENDS_WITHIN_MS = 15_000;

interface Stage {
  /** Over all schedules so far. */
  readonly longestOverlapMs: number;
  play(steps: readonly RealStep[]): Promise<void>;
  close(): Promise<void>;
}

/** One browser, one server; a namespace for each schedule. */
async function setStage(name: EngineName): Promise<Stage> {
  const server = await startChaosServer(buildFlags(FLAGS));
  const [browser, site, proxy, history] = await Promise.all([
    launchBrowser(name, { backForwardCache: true }),
    startClientSite(),
    startFaultProxy(server.url),
    readHistory(server),
  ]);
  // A window without a client keeps the browser itself alive.
  await browser.newTab();
  let schedules = 0;
  let longestOverlapMs = 0;
  return {
    get longestOverlapMs() {
      return longestOverlapMs;
    },
    async play(steps) {
      schedules += 1;
      const namespace = `chaos ${schedules}`;
      server.forgetStreams();
      const world = createRealWorld({ browser, siteUrl: site.url, server, proxy, history, namespace });
      let last = 'the start';
      try {
        for (const step of steps) {
          last = JSON.stringify(step);
          await world.take(step);
          await world.check();
        }
        last = 'all faults had ended';
        await world.recover();
      } catch (error) {
        throw new Error(`After ${last}: ${(error as Error).message}`, { cause: error });
      } finally {
        longestOverlapMs = Math.max(longestOverlapMs, server.longestOverlapMs);
        await world.closeAll();
        await untilNoStream(server);
      }
    },
    async close() {
      await browser.close();
      await Promise.all([site.stop(), proxy.stop()]);
      await server.close();
    },
  };
}

/** What a schedule leaves behind must not count in the next one. */
async function untilNoStream(server: ChaosServer): Promise<void> {
  const deadlineMs = Date.now() + ENDS_WITHIN_MS;
  while ((await server.health()).streams > 0) {
    if (Date.now() > deadlineMs) throw new Error('A stream is left although all tabs are closed.');
    await setTimeout(20);
  }
}

async function playOne(stage: Stage, name: EngineName, seed: number): Promise<void> {
  const property = fc.asyncProperty(arbRealSchedule(CAPABILITIES[name]), stage.play);
  const outcome = await fc.check(property, { seed, numRuns: 1, endOnFailure: SEED === undefined });
  if (!outcome.failed) return;
  throw new Error(
    `${(outcome.errorInstance as Error).message}\n` +
      `Play it again with ENGINES=${name} CHAOS_SEED=${seed}.\n${fc.defaultReportMessage(outcome)}`,
    { cause: outcome.errorInstance },
  );
}

describe.runIf(engine.name === chooseEngines()[0]).concurrent('all engines at once', () => {
  test.each(chooseEngines())(
    'promises hold in %s through random schedules of real faults',
    { timeout: SECONDS * 1_000 + 600_000 },
    async (name) => {
      const stage = await setStage(name);
      try {
        const startMs = Date.now();
        let seed = SEED ?? FIRST_SEED;
        let played = 0;
        do {
          await playOne(stage, name, seed);
          seed += 1;
          played += 1;
        } while (SEED === undefined && Date.now() - startMs < SECONDS * 1_000);
        const overlap = `two streams for at most ${Math.round(stage.longestOverlapMs)} ms`;
        console.log(`${name}: ${played} schedules, ${overlap}`);
      } finally {
        await stage.close();
      }
    },
  );
});
