/** The TypeScript in the README compiles against the types that the package ships (`tsc -b` has made them). */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const TYPES = join(ROOT, 'dist/types');
const folder = mkdtempSync(join(tmpdir(), 'flagent-readme-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const snippets = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code = '']) => code,
);

/** What the text around a snippet has already introduced. */
const BEFORE_PAGE = `
import { createFlagClient, type FlagClient } from 'flagent-offline';
declare const url: string;
declare const flags: FlagClient;
`;
const BEFORE_READS = `
declare const flags: import('flagent-offline').FlagClient;
`;
const BEFORE_SERVICE_WORKER = `
import type { ShellFile } from 'flagent-offline/service-worker';
declare const self: ServiceWorkerGlobalScope & { readonly __WB_MANIFEST: readonly ShellFile[] };
`;

/** It reads from a client that an earlier snippet has created. */
function isReading(code: string): boolean {
  return /\bflags\.\w/.test(code) && !code.includes('const flags');
}

function complaintsAbout(code: string, name: string): string {
  const isServiceWorker = code.includes('flagent-offline/service-worker');
  const introduced = isServiceWorker
    ? BEFORE_SERVICE_WORKER
    : !code.includes('import ')
      ? BEFORE_PAGE
      : isReading(code)
        ? BEFORE_READS
        : '';
  writeFileSync(join(folder, `${name}.ts`), introduced + code);
  const config = {
    compilerOptions: {
      strict: true,
      noEmit: true,
      module: 'ESNext',
      target: 'ES2023',
      moduleResolution: 'Bundler',
      lib: ['ES2023', ...(isServiceWorker ? ['WebWorker'] : ['DOM', 'DOM.Iterable'])],
      types: [],
      paths: {
        'flagent-offline': [join(TYPES, 'index.d.ts')],
        'flagent-offline/service-worker': [join(TYPES, 'service-worker/index.d.ts')],
      },
    },
    files: [`${name}.ts`],
  };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', join(folder, `${name}.json`)], { encoding: 'utf8' });
    return '';
  } catch (error) {
    return String((error as { stdout?: string }).stdout);
  }
}

test('the README has its snippets', () => {
  expect(snippets.length).toBeGreaterThan(4);
});

test.each(snippets.map((code, index) => [code.split('\n')[0], code, `snippet${index}`] as const))(
  'compiles: %s',
  (_firstLine, code, name) => {
    expect(complaintsAbout(code, name)).toBe('');
  },
);
