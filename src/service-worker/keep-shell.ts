/** The application shell offline: files named at build time are stored at install and answered from storage ever after. */
import { PrecacheController, PrecacheRoute } from 'workbox-precaching';
import { NavigationRoute, Router } from 'workbox-routing';
import { FlagError } from '../core/errors.ts';

/** One file of the build; `revision` is null when the name of the file already changes with its content. */
export interface ShellFile {
  readonly url: string;
  readonly revision: string | null;
  readonly integrity?: string;
}

export interface ShellOptions {
  /** The list that a build tool makes: `self.__WB_MANIFEST` of workbox-build or vite-plugin-pwa. URLs are relative to the service worker. */
  readonly precache: readonly ShellFile[];
  /** Answers navigations to addresses that are no file, as single-page applications need. Default `index.html`; `null` for none. */
  readonly navigationFallback?: string | null;
  /** Path and query of navigations that always go to the network, such as `[/^\/admin/]`. Default: none. */
  readonly neverFallback?: readonly RegExp[];
}

/** Grows when the way files are stored changes; caches of other formats are then deleted. */
const CACHE_FORMAT = 1;
const CACHE_PREFIX = 'flagent-shell-v';

/**
 * Stores the listed files when this version is installed, answers requests for them from storage, and deletes files of earlier
 * versions when this one becomes active. A version whose files cannot all be stored is not installed; the one before it stays.
 * Requests for anything else are left alone, so it may stand beside other `fetch` listeners.
 */
export function keepShell(self: ServiceWorkerGlobalScope, options: ShellOptions): void {
  const files = readFiles(options.precache);
  const { navigationFallback = 'index.html', neverFallback = [] } = options;
  const cacheName = `${CACHE_PREFIX}${CACHE_FORMAT}:${self.registration.scope}`;
  const shell = new PrecacheController({ cacheName });
  shell.addToCacheList(files);

  const router = new Router();
  router.registerRoute(new PrecacheRoute(shell));
  if (navigationFallback !== null) {
    if (shell.getCacheKeyForURL(navigationFallback) === undefined) {
      throw invalid(
        `navigationFallback is ${JSON.stringify(navigationFallback)}, which is not in precache. Add the file, or pass null.`,
      );
    }
    const fallback = shell.createHandlerBoundToURL(navigationFallback);
    router.registerRoute(new NavigationRoute(fallback, { denylist: [...neverFallback] }));
  }

  self.addEventListener('install', (event) => event.waitUntil(shell.install(event)));
  self.addEventListener('activate', (event) => {
    event.waitUntil(Promise.all([shell.activate(event), deleteOtherFormats(self, cacheName)]));
  });
  self.addEventListener('fetch', (event) => {
    const response = router.handleRequest({ request: event.request, event });
    if (response !== undefined) event.respondWith(response);
  });
}

/** Only our own caches of this very scope: an origin may hold several applications, one below the other. */
async function deleteOtherFormats(self: ServiceWorkerGlobalScope, cacheName: string): Promise<void> {
  const names = await self.caches.keys();
  const outdated = names.filter(
    (name) =>
      name.startsWith(CACHE_PREFIX) && name.endsWith(`:${self.registration.scope}`) && name !== cacheName,
  );
  await Promise.all(outdated.map((name) => self.caches.delete(name)));
}

function readFiles(precache: unknown): ShellFile[] {
  if (!Array.isArray(precache)) {
    throw invalid(
      'precache must be the list of files that the build makes; was it put in place of self.__WB_MANIFEST?',
    );
  }
  return precache.map((file: unknown, index) => readFile(file, index));
}

function readFile(file: unknown, index: number): ShellFile {
  const { url, revision, integrity } = (file ?? {}) as Record<string, unknown>;
  if (typeof url !== 'string' || (revision !== null && typeof revision !== 'string')) {
    throw invalid(
      `precache[${index}] must be { url, revision }, with revision null only for names that hold a hash.`,
    );
  }
  return { url, revision, ...(typeof integrity === 'string' && { integrity }) };
}

function invalid(what: string): FlagError {
  return new FlagError('invalid_option', `keepShell: ${what}`);
}
