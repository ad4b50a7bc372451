/**
 * What a browser has to load: our sources, bundled and minified as an application's build does it, then compressed as a server does it.
 * Bundled as a library, because Vite adds a helper of its own (0.8 KB, once) to an application that loads anything lazily.
 */
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin, type Rolldown } from 'vite';
import type { Row } from './report.ts';

const SRC = resolve(import.meta.dirname, '../../src');

/** An application of one line. */
const APPLICATION = `export { createFlagClient } from '${SRC}/index.ts';`;

const FILES = {
  sharedWorker: 'shared-worker/index.ts',
  tabHost: 'host/tab-host.ts',
  serviceWorker: 'service-worker/index.ts',
} as const;

export interface FileSize {
  readonly minified: number;
  /** Level 9, bytes. */
  readonly gzip: number;
}

export interface Sizes extends Readonly<Record<keyof typeof FILES, FileSize>> {
  /** What the application has to load before it can read: the entry with all its static imports. */
  readonly entry: FileSize;
  /** What is loaded beside it, and reaches the hub. */
  readonly linkTab: FileSize;
  /** Loaded when a flag has a regular expression. */
  readonly patternEngine: FileSize;
}

export async function measureSizes(): Promise<Sizes> {
  const chunks = await bundle(ENTRY);
  const isNamed =
    (wanted: string) =>
    ({ name }: Rolldown.OutputChunk) =>
      name === wanted;
  const [isLinkTab, isPatternEngine] = [isNamed('link-tab'), isNamed('pattern')];
  const sizeOfFile = async (file: string): Promise<FileSize> => sizeOf(await bundle(resolve(SRC, file)));
  return {
    entry: sizeOf(chunks.filter((chunk) => !isLinkTab(chunk) && !isPatternEngine(chunk))),
    linkTab: sizeOf(chunks.filter(isLinkTab)),
    patternEngine: sizeOf(chunks.filter(isPatternEngine)),
    sharedWorker: await sizeOfFile(FILES.sharedWorker),
    tabHost: await sizeOfFile(FILES.tabHost),
    serviceWorker: await sizeOfFile(FILES.serviceWorker),
  };
}

const ROW_NAMES: Readonly<Record<keyof Sizes, string>> = {
  entry: 'page entry, createFlagClient only',
  linkTab: 'loaded beside it: what reaches the hub',
  patternEngine: 'loaded for flags with regular expressions',
  sharedWorker: 'shared worker',
  tabHost: 'hub in a tab, where there is no worker',
  serviceWorker: 'service-worker parts',
};

export async function benchSize(): Promise<readonly Row[]> {
  const sizes = await measureSizes();
  return Object.entries(ROW_NAMES).flatMap(([key, name]) => {
    const { minified, gzip } = sizes[key as keyof Sizes];
    return [
      { name: `${name}, minified`, unit: 'bytes', samples: [minified] },
      { name: `${name}, minified, gzip`, unit: 'bytes', samples: [gzip] },
    ];
  });
}

/** Each file is compressed alone, as it is sent. */
function sizeOf(chunks: readonly Rolldown.OutputChunk[]): FileSize {
  if (chunks.length === 0) throw new Error('A file that was to be measured did not come out of the build.');
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
  return {
    minified: sum(chunks.map(({ code }) => Buffer.byteLength(code))),
    gzip: sum(chunks.map(({ code }) => gzipSync(code, { level: 9 }).length)),
  };
}

const ENTRY = 'virtual:application';

async function bundle(input: string): Promise<readonly Rolldown.OutputChunk[]> {
  const result = await build({
    configFile: false,
    root: SRC,
    logLevel: 'silent',
    plugins: [application()],
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: input, formats: ['es'] },
      rolldownOptions: {
        input,
        // A file of its own in the package too.
        external: (id) => id !== input && id.endsWith('/tab-host.ts'),
        preserveEntrySignatures: 'allow-extension',
        output: { minify: true, comments: false },
      },
    },
  });
  const outputs = [result].flat().flatMap((one) => ('output' in one ? one.output : []));
  return outputs.filter((output) => output.type === 'chunk');
}

function application(): Plugin {
  return {
    name: 'application',
    resolveId: (id) => (id === ENTRY ? ENTRY : null),
    load: (id) => (id === ENTRY ? { code: APPLICATION, moduleSideEffects: true } : null),
  };
}
