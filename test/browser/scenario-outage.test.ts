/** A long outage with the policy as it ships: no storm against the server, and everybody is current when it is back. */
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { startFaultProxy } from '../../src/testing/fault-proxy.ts';
import { startFlagServer } from '../kit/flag-server.ts';
import { buildFlags } from '../kit/flags.ts';
import { editFlag, stageScenarios } from '../kit/scenario.ts';

const scenario = stageScenarios();

declare global {
  interface Window {
    /** Milliseconds from `online` to the wanted revision; the test waits for it. */
    currentAfterMs?: number;
  }
}

const TABS = 20;
const DOWN_MS = 60_000;
const FIRST_TRIES_MS = 10_000;
const ATTEMPTS_PER_MINUTE = 6;
const CURRENT_WITHIN_MS = 2_000;

scenario(
  'the server is down for a minute with 20 tabs: few attempts, and all tabs current soon after it is back and `online` fires',
  async (play) => {
    const server = await startFlagServer();
    // Accepts also while the server is gone, and so counts every attempt of the browser.
    const counter = await startFaultProxy(server.url);
    try {
      await server.rest('/import', { method: 'POST', body: { flags: buildFlags(50) } });
      const tabs = await play.openMany(TABS, { url: counter.url, connection: {} });
      const { revision } = await server.health();
      for (const tab of tabs) await tab.reaches(revision);

      await server.stop('SIGKILL');
      await setTimeout(FIRST_TRIES_MS);
      const afterFirst = counter.counts.accepted;
      await setTimeout(DOWN_MS - FIRST_TRIES_MS);
      expect(counter.counts.accepted - afterFirst).toBeLessThanOrEqual(ATTEMPTS_PER_MINUTE);

      await server.restart();
      const missed = await editFlag(server);
      const times = await Promise.all(
        tabs.map(async (tab) => {
          await tab.evaluate((wanted: number) => {
            const startMs = performance.now();
            const look = ({ revision: shown = -1 }) => {
              if (shown >= wanted) window.currentAfterMs ??= performance.now() - startMs;
            };
            window.flags.onStatus(look);
            window.dispatchEvent(new Event('online'));
            look(window.flags.status);
          }, missed);
          return (await tab.waitFor(() => window.currentAfterMs)) ?? Number.POSITIVE_INFINITY;
        }),
      );
      const median = times.sort((a, b) => a - b)[Math.floor(TABS / 2)];
      expect(median).toBeLessThan(CURRENT_WITHIN_MS);
      for (const tab of tabs) await tab.close();
    } finally {
      await counter.stop();
      await server.close();
    }
  },
  { hosts: ['shared-worker'], timeoutMs: 150_000 },
);
