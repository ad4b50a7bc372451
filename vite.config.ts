/** One file for every build: `vite build --mode page | tab-host | shared-worker | service-worker | node`; the demo has its own root. Also the tests. */
import { defineConfig, type Plugin, type Rolldown, type UserConfig } from 'vite';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { chooseEngines, ENGINE_OF_PROJECT } from './test/kit/chosen-engines.ts';
import type { EngineName } from './test/kit/find-engine.ts';

const NODE_ENTRIES = {
  server: 'src/server/index.ts',
  cli: 'src/cli/main.ts',
  testing: 'src/testing/index.ts',
};

function library(
  entries: Record<string, string>,
  format: 'es' | 'iife',
  more: UserConfig['build'] = {},
): UserConfig {
  return {
    base: './',
    publicDir: false,
    plugins: [keepWorkerLiteral(), keepTabHostApart()],
    // Workbox asks; a browser has no `process`.
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      outDir: 'dist',
      emptyOutDir: false,
      target: 'es2022',
      // Whole files, readable in a debugger; applications minify.
      minify: false,
      // The files contain other people's work, and their licences want to be named.
      license: { fileName: `licenses/${Object.keys(entries).join('-')}.md` },
      lib: { entry: entries, formats: [format], name: 'flagentOffline', fileName: (_, name) => `${name}.js` },
      ...(format === 'es' && { rolldownOptions: { output: { chunkFileNames: nameChunk } } }),
      ...more,
    },
  };
}

/**
 * What is ours stays beside the entry, because the addresses of the worker and of the tab host are relative to the file that names them.
 * What `index.js` and `link-tab.js` both need is a file too: so the entry exports nothing but the public API.
 */
function nameChunk({ name, isDynamicEntry, moduleIds }: Rolldown.PreRenderedChunk): string {
  if (moduleIds.every((id) => id.includes('/node_modules/'))) return 'page/[name].js';
  return isDynamicEntry ? `${name}.js` : 'page-parts.js';
}

/** Bundlers find a worker by the literal `new SharedWorker(new URL('…', import.meta.url))`; ours must reach the application's bundler untouched. */
function keepWorkerLiteral(): Plugin {
  return {
    name: 'keep-worker-literal',
    renderChunk: (code) => ({
      code: code.replaceAll(/\/\* @vite-ignore \*\/\s*(?=["'`]\.\/shared-worker)/g, ''),
      map: null,
    }),
  };
}

/**
 * The hub that a tab hosts is a file of its own with all it needs, loaded only by browsers without a working SharedWorker. Shared chunks
 * would make every page load what only the hub needs.
 */
function keepTabHostApart(): Plugin {
  return {
    name: 'keep-tab-host-apart',
    enforce: 'pre',
    resolveId: (id, importer) =>
      importer !== undefined && id.endsWith('/host/tab-host.ts')
        ? { id: './tab-host.js', external: true }
        : null,
  };
}

const BUILDS: Record<string, UserConfig> = {
  // The first of the builds: it clears what earlier ones have left.
  page: library({ index: 'src/index.ts' }, 'es', { emptyOutDir: true }),
  'tab-host': library({ 'tab-host': 'src/host/tab-host.ts' }, 'es'),
  'shared-worker': library({ 'shared-worker': 'src/shared-worker/index.ts' }, 'iife'),
  'service-worker': library({ 'service-worker': 'src/service-worker/index.ts' }, 'es'),
  node: {
    publicDir: false,
    // The only package that both sides of the wire need; in the browser files it is bundled anyway.
    ssr: { noExternal: ['eventsource-parser'] },
    build: {
      ssr: true,
      outDir: 'dist',
      emptyOutDir: false,
      target: 'node22',
      rolldownOptions: {
        input: NODE_ENTRIES,
        output: { entryFileNames: '[name].js', chunkFileNames: 'node/[name].js' },
      },
    },
  },
};

/** The browser tests, in one engine: `--project browser-firefox`, or `--project 'browser-*'` for every engine of `ENGINES`. */
function browserTests(engine: EngineName): TestProjectInlineConfiguration {
  return {
    test: {
      name: `browser-${engine}`,
      include: ['test/browser/**/*.test.ts'],
      // What a stranger installs is the same in every engine; what the demo's buttons do there is what the scenarios show.
      exclude: engine === 'chromium' ? [] : ['test/browser/{package,demo-chaos}.test.ts'],
      env: { [ENGINE_OF_PROJECT]: engine },
      environment: 'node',
      globalSetup: ['test/kit/browser-setup.ts'],
      fileParallelism: false,
      testTimeout: 60_000,
      hookTimeout: 120_000,
    },
  };
}

export default defineConfig(({ mode }) => ({
  ...BUILDS[mode],
  test: {
    projects: [
      {
        test: {
          name: 'node',
          include: ['test/*.test.ts', 'test/{core,contract,scenario}/**/*.test.ts'],
          environment: 'node',
          testTimeout: 20_000,
        },
      },
      ...chooseEngines().map(browserTests),
    ],
  },
}));
