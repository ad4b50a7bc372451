/** The built package on an origin of its own. Its page only has `window.flagentOffline`, the exports of the page entry, for tests to call. */
import { resolve } from 'node:path';
import { type StaticSite, startStaticSite } from './static-site.ts';

const PAGE = resolve(import.meta.dirname, 'page');
const DIST = resolve(import.meta.dirname, '../../dist');

declare global {
  interface Window {
    /** In the test page: what `import * from 'flagent-offline'` gives. */
    flagentOffline: typeof import('../../src/index.ts');
  }
}

/**
 * `/` is the test page, `/lesser.html?without=…` the same in a browser that has lost something; `/index.js`, `/shared-worker.js` and
 * `/service-worker.js` are the files of `dist`. `/silent-worker.js` is never answered.
 */
export function startClientSite(headers: Readonly<Record<string, string>> = {}): Promise<StaticSite> {
  return startStaticSite({ folders: [PAGE, DIST], headers, unanswered: ['/silent-worker.js'] });
}
