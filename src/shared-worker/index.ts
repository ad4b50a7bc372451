/**
 * Entry of the SharedWorker: one hub per scope, served to tabs through Comlink. Built as one self-contained file that runs as a
 * classic and as a module script, so `onconnect` is set before anything else can happen.
 */
import { createHubHost } from '../host/hub-host.ts';
import { serveTab } from '../host/serve-tab.ts';
import { createSystem } from '../system/system.ts';

declare const self: SharedWorkerGlobalScope;

const host = createHubHost({ system: createSystem(), runsIn: 'shared-worker' });

self.onconnect = ({ ports }) => {
  for (const port of ports) serveTab(port, host);
};
