/** What a browser has to load: the built files, minified as an application's bundler would, then compressed as a server would. */
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import type { Row } from './report.ts';

const DIST = resolve(import.meta.dirname, '../../dist');

const FILES = ['index.js', 'shared-worker.js', 'service-worker.js'] as const;

export async function benchSize(): Promise<readonly Row[]> {
  const sized = await Promise.all(FILES.map(async (file) => ({ file, code: await minify(file) })));
  return sized.flatMap(({ file, code }): Row[] => [
    { name: `${file} minified`, unit: 'bytes', samples: [Buffer.byteLength(code)] },
    { name: `${file} minified, gzip`, unit: 'bytes', samples: [gzipSync(code, { level: 9 }).length] },
  ]);
}

/** The file with everything it imports; the worker it starts is a file of its own and not part of it. */
export async function minify(file: (typeof FILES)[number]): Promise<string> {
  const result = await build({
    configFile: false,
    root: DIST,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: { polyfill: false },
      rolldownOptions: { input: resolve(DIST, file), preserveEntrySignatures: 'strict' },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) => ('output' in one ? one.output : []));
  const entry = outputs.find((output) => output.type === 'chunk' && output.isEntry);
  if (entry?.type !== 'chunk') throw new Error(`Nothing came out of dist/${file}; run npm run build first.`);
  return entry.code;
}
