/** Tokens that expire and users who sign out: no reload, no remains. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { FlagClientOptions } from '../../src/index.ts';
import { asClientTab, type ClientTab } from '../kit/client-tab.ts';
import { type FlagServer, startFlagServer } from '../kit/flag-server.ts';
import { buildFlags } from '../kit/flags.ts';
import { editFlag, expectOneStream, type Play, stageScenarios, waitForStreams } from '../kit/scenario.ts';
import { watchStreams } from '../kit/watch-streams.ts';

const scenario = stageScenarios();

declare global {
  interface Window {
    /** What the page's own sign-in would give; the client asks for it. */
    token: string;
    /** How often the client has asked. */
    tokensAsked: number;
  }
}

/** A tab whose token comes from a function, as after a real sign-in. */
async function openWithToken(play: Play, url: string, token: string): Promise<ClientTab> {
  const tab = await play.browser.newTab(play.pageUrl());
  await tab.waitFor(() => window.flagentOffline !== undefined);
  await tab.evaluate(
    (given: { options: FlagClientOptions; token: string }) => {
      window.token = given.token;
      window.tokensAsked = 0;
      const accessToken = async (): Promise<string> => {
        window.tokensAsked += 1;
        return window.token;
      };
      window.flags = window.flagentOffline.createFlagClient({ ...given.options, accessToken });
      window.heard = [];
    },
    { options: { ...play.options, url }, token },
  );
  return asClientTab(tab);
}

scenario('the token expires: the new one is asked for once, and no tab is reloaded', async (play) => {
  const folder = mkdtempSync(join(tmpdir(), 'flagent-tokens-'));
  const start = (readToken: string, port: number): Promise<FlagServer> =>
    startFlagServer({
      db: join(folder, 'flags.db'),
      readTokens: [readToken],
      writeTokens: ['writer'],
      port,
    });
  let server = await start('monday', 0);
  const watch = watchStreams({ health: () => server.health() });
  try {
    await server.rest('/import', { method: 'POST', body: { flags: buildFlags(5) } });
    const tabs = [
      await openWithToken(play, server.url, 'monday'),
      await openWithToken(play, server.url, 'monday'),
    ];
    const { revision } = await server.health();
    for (const tab of tabs) await tab.reaches(revision);
    for (const tab of tabs) {
      await tab.evaluate(() => {
        window.token = 'tuesday';
      });
    }
    const { port } = new URL(server.url);
    await server.stop('SIGKILL');
    server = await start('tuesday', Number(port));
    const missed = await editFlag(server);
    for (const tab of tabs) {
      await tab.reaches(missed);
      await tab.waitFor(() => window.flags.status.connection.is === 'live');
    }
    await waitForStreams(server, 1);
    for (const tab of tabs) await tab.close();
  } finally {
    await watch.stop();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  expectOneStream(watch);
});

scenario(
  'sign-out in one tab empties all tabs and the storage, and the next sign-in fills them',
  async (play) => {
    const tabs = await play.openMany(3);
    const revision = await play.editReaches(tabs);
    await tabs[2]?.evaluate(() => window.flags.forget());
    for (const tab of tabs) {
      await tab.waitFor(() => window.flags.peekFlags().size === 0);
      await tab.waitFor(() => window.flags.status.source === 'none');
    }
    await waitForStreams(play.server, 0);
    play.proxy.refuse();
    const stranger = await play.open({ firstReadTimeoutMs: 500 });
    expect(await stranger.evaluate(async () => (await window.flags.getFlag('any')) ?? 'nothing')).toBe(
      'nothing',
    );
    expect(await stranger.flagsJson()).toBe('[]');
    await stranger.close();
    for (const tab of tabs) expect(await tab.flagsJson()).toBe('[]');
    await play.proxy.restore();
    await tabs[0]?.evaluate(() => window.flags.refresh());
    for (const tab of tabs) await tab.reaches(revision);
    await play.editReaches(tabs);
  },
);
