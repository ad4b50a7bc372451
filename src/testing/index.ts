/** For tests of applications that use flagent-offline: a server, a network that breaks on command, and flags. Node only. */

export { type FaultProxy, type FaultProxyCounts, startFaultProxy } from './fault-proxy.ts';
export type { CutHow } from './faulty-connection.ts';
export type { TrafficShape } from './faulty-pipe.ts';
export { buildFlag, buildFlags } from './flags.ts';
export { startTestServer, type TestServer } from './test-server.ts';
