/** The real flag server in the test's own process, with quick heartbeats, behind a proxy that breaks on command. */
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.ts';
import { startTestServer } from '../../src/testing/test-server.ts';
import type { FlagServer } from './flag-server.ts';
import { buildFlags } from './flags.ts';

/** What a scenario needs of its server, whichever process it runs in. */
export type AskedServer = Pick<FlagServer, 'url' | 'rest' | 'health'>;

export interface ScenarioServer extends AskedServer {
  /** Its address is the one that tabs use; `url` is the server's own. */
  readonly proxy: FaultProxy;
  close(): Promise<void>;
}

/** Half of the shortest `silenceMs` of the scenarios. */
export const HEARTBEAT_MS = 500;

export async function startScenarioServer(): Promise<ScenarioServer> {
  const started = await startTestServer({ keepAliveIntervalMs: HEARTBEAT_MS, flags: buildFlags(20) });
  const proxy = await startFaultProxy(started.url);
  const rest: FlagServer['rest'] = async (path, { method = 'GET', body } = {}) => {
    const response = await fetch(`${started.url}/api/v1${path}`, {
      method,
      ...(body !== undefined && {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}.`);
    return response.json();
  };
  return {
    url: started.url,
    proxy,
    rest,
    health: async () => (await rest('/health')) as Awaited<ReturnType<FlagServer['health']>>,
    close: async () => {
      await proxy.stop();
      await started.close();
    },
  };
}
