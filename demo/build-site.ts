/** Builds the page, then the service worker, which must know the files of the page to keep them. */
import { join } from 'node:path';
import { build, type InlineConfig, type Plugin } from 'vite';
import { getManifest } from 'workbox-build';

export interface PageConfig {
  readonly flagServerUrl: string;
  readonly readToken: string;
}

export interface SiteBuild {
  /** An empty folder. */
  readonly outDir: string;
  /** Goes into the HTML, so that a page from the service worker's storage knows it too. */
  readonly page: PageConfig;
}

/** Names that end in a hash change with their content and need no revision. */
const HASHED_NAME = /-[\w-]{8}\.\w+$/;

export async function buildSite({ outDir, page }: SiteBuild): Promise<void> {
  await build({
    ...shared(outDir),
    root: join(import.meta.dirname, 'page'),
    base: './',
    plugins: [writeConfig(page)],
  });
  const { manifestEntries, warnings } = await getManifest({
    globDirectory: outDir,
    globPatterns: ['**/*.{html,js,css,svg,png,webmanifest}'],
    dontCacheBustURLsMatching: HASHED_NAME,
  });
  if (warnings.length > 0) throw new Error(`The list of files to keep is incomplete: ${warnings.join(' ')}`);
  const config = shared(outDir);
  await build({
    ...config,
    publicDir: false,
    define: {
      FLAG_SERVER_URL: JSON.stringify(page.flagServerUrl),
      SHELL_FILES: JSON.stringify(manifestEntries),
      // A library build leaves this to the application that takes it in; here there is none.
      'process.env.NODE_ENV': '"production"',
    },
    build: {
      ...config.build,
      emptyOutDir: false,
      lib: {
        entry: join(import.meta.dirname, 'service-worker.ts'),
        formats: ['iife'],
        name: 'serviceWorker',
        fileName: () => 'service-worker.js',
      },
    },
  });
}

function shared(outDir: string): InlineConfig {
  return {
    configFile: false,
    logLevel: 'warn',
    build: { outDir, emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 1_000 },
  };
}

function writeConfig(page: PageConfig): Plugin {
  return {
    name: 'write-page-config',
    transformIndexHtml: () => [
      {
        tag: 'script',
        attrs: { type: 'application/json', id: 'page-config' },
        children: JSON.stringify(page).replaceAll('<', '\\u003c'),
        injectTo: 'head-prepend',
      },
    ],
  };
}
