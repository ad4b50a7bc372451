/** What a browser has to load: the built files, minified as an application's bundler would, then compressed as a server would. */
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';
import type { Row } from './report.ts';

const DIST = resolve(import.meta.dirname, '../../dist');

/** What an application writes → the row's name. */
const IMPORTS: Record<string, string> = {
  'page, createFlagClient only': `export { createFlagClient } from '${DIST}/index.js';`,
  'page, every export': `export * from '${DIST}/index.js';`,
  'shared worker': `import '${DIST}/shared-worker.js';`,
  'service worker': `export * from '${DIST}/service-worker.js';`,
};

export async function benchSize(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [name, source] of Object.entries(IMPORTS)) {
    const code = await bundle(source);
    rows.push({ name: `${name}, minified`, unit: 'bytes', samples: [Buffer.byteLength(code)] });
    rows.push({
      name: `${name}, minified, gzip`,
      unit: 'bytes',
      samples: [gzipSync(code, { level: 9 }).length],
    });
  }
  return rows;
}

const ENTRY = 'virtual:entry';

/** The first chunk of an application of this one line; workers and chunks that are loaded later are files of their own and not part of it. */
async function bundle(source: string): Promise<string> {
  const result = await build({
    configFile: false,
    root: DIST,
    logLevel: 'silent',
    plugins: [virtualEntry(source)],
    build: {
      write: false,
      target: 'es2022',
      modulePreload: { polyfill: false },
      rolldownOptions: { input: ENTRY, preserveEntrySignatures: 'strict' },
    },
  });
  const outputs = [result].flat().flatMap((one) => ('output' in one ? one.output : []));
  const entry = outputs.find((output) => output.type === 'chunk' && output.isEntry);
  if (entry?.type !== 'chunk') throw new Error(`Nothing came out of ${source}; run npm run build first.`);
  return entry.code;
}

function virtualEntry(source: string): Plugin {
  return {
    name: 'virtual-entry',
    resolveId: (id) => (id === ENTRY ? ENTRY : null),
    load: (id) => (id === ENTRY ? { code: source, moduleSideEffects: true } : null),
  };
}
