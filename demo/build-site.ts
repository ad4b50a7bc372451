/** Builds the page and its shared worker, then the service worker, which must know the files of both to keep them. */
import { join } from 'node:path';
import { build, type InlineConfig, type Plugin } from 'vite';
import { getManifest } from 'workbox-build';

export interface PageConfig {
  readonly flagServerUrl: string;
  readonly readToken: string;
  /** The flag server sends one this often. */
  readonly heartbeatMs: number;
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
  await buildWorker(outDir, 'flag-worker');
  const { manifestEntries, warnings } = await getManifest({
    globDirectory: outDir,
    globPatterns: ['**/*.{html,js,css,svg,png,webmanifest}'],
    dontCacheBustURLsMatching: HASHED_NAME,
  });
  if (warnings.length > 0) throw new Error(`The list of files to keep is incomplete: ${warnings.join(' ')}`);
  await buildWorker(outDir, 'service-worker', {
    FLAG_SERVER_URL: JSON.stringify(page.flagServerUrl),
    SHELL_FILES: JSON.stringify(manifestEntries),
  });
}

/** One file with a name that does not change: a worker is known by its address. */
async function buildWorker(outDir: string, name: string, define: Record<string, string> = {}): Promise<void> {
  const config = shared(outDir);
  await build({
    ...config,
    publicDir: false,
    // A library build leaves this to the application that takes it in; here there is none.
    define: { ...define, 'process.env.NODE_ENV': '"production"' },
    build: {
      ...config.build,
      emptyOutDir: false,
      lib: {
        entry: join(import.meta.dirname, `${name}.ts`),
        formats: ['iife'],
        name: 'worker',
        fileName: () => `${name}.js`,
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
