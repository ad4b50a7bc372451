/** Keeps the service worker out of the way between the page and the flag server. It answers nothing itself. */
import { FlagError } from '../core/errors.ts';

export interface PassStreamOptions {
  /** Base URL of the flag server, absolute; the same value as for `createFlagClient`. */
  readonly url: string;
  /**
   * Paths below the base URL that are left alone, each with everything that begins with it.
   * Default: `/api/v1/`, `/realtime/` and `/ws`. Narrow it when the application has an API of its own there and caches it.
   */
  readonly paths?: readonly string[];
}

const FLAG_SERVER_PATHS = ['/api/v1/', '/realtime/', '/ws'];

/**
 * Requests to the flag server go to the network as if there were no service worker. Call it before every other part and every
 * other `fetch` listener: it stops the listeners that were added after it.
 *
 * Why it must be so: a stream that a service worker answers is cut after 30 s by Firefox, holds back the next version of the
 * service worker for up to 5 minutes in Chromium, and is not ended when the page aborts it.
 *
 * Where static routing exists (`event.addRoutes`) these requests do not even start the service worker.
 */
export function passStream(self: ServiceWorkerGlobalScope, options: PassStreamOptions): void {
  const prefixes = readPrefixes(options);

  self.addEventListener('fetch', (event) => {
    const url = new URL(event.request.url);
    const isFlagServer = prefixes.some(
      ({ origin, pathname }) => url.origin === origin && url.pathname.startsWith(pathname),
    );
    // Returning without `respondWith` is the one way to leave a request to the browser.
    if (isFlagServer) event.stopImmediatePropagation();
  });

  self.addEventListener('install', (event) => {
    if (!hasAddRoutes(event)) return;
    const routes = prefixes.map((prefix) => ({
      condition: { urlPattern: patternOf(prefix) },
      source: 'network' as const,
    }));
    // The listener above does the same, only later: a browser that refuses the rules loses nothing.
    event.waitUntil(Promise.resolve(event.addRoutes(routes)).catch(() => {}));
  });
}

function readPrefixes({ url, paths = FLAG_SERVER_PATHS }: PassStreamOptions): URL[] {
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw new FlagError(
      'invalid_option',
      `passStream: url must be the absolute address of the flag server, such as https://flags.example.com, but is ${JSON.stringify(url)}.`,
    );
  }
  const wrong = paths.find((path) => !path.startsWith('/'));
  if (wrong !== undefined) {
    throw new FlagError(
      'invalid_option',
      `passStream: each of paths must begin with "/", but one is ${JSON.stringify(wrong)}.`,
    );
  }
  const directory = base.pathname.replace(/\/+$/, '');
  return paths.map((path) => new URL(directory + path, base.origin));
}

/** Characters with a meaning in URL patterns are escaped, so that only the last `*` is one. */
function patternOf({ protocol, hostname, port, pathname }: URL): URLPatternInit {
  const literal = (text: string): string => text.replaceAll(/[\\*+?:{}()]/g, '\\$&');
  return {
    protocol: protocol.slice(0, -1),
    hostname: literal(hostname),
    port,
    pathname: `${literal(pathname)}*`,
  };
}

/** The install event where the Service Worker Static Routing API exists. */
interface RoutingInstallEvent extends ExtendableEvent {
  addRoutes(
    routes: readonly {
      readonly condition: { readonly urlPattern: URLPatternInit };
      readonly source: 'network';
    }[],
  ): Promise<void>;
}

function hasAddRoutes(event: ExtendableEvent): event is RoutingInstallEvent {
  return 'addRoutes' in event && typeof event.addRoutes === 'function';
}
