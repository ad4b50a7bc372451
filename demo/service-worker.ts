/** The service worker of the demo: three parts of the package and nothing else. */
import { followUpdates, keepShell, passStream, type ShellFile } from 'flagent-offline/service-worker';

declare const self: ServiceWorkerGlobalScope;
/** Put in by `build-site.ts`. */
declare const FLAG_SERVER_URL: string;
declare const SHELL_FILES: readonly ShellFile[];

passStream(self, { url: FLAG_SERVER_URL });
keepShell(self, { precache: SHELL_FILES, neverFallback: [/^\/__demo\//] });
followUpdates(self);
