/** An application that has installed this package, as the compiler sees it: declarations emitted from `src`, found by the package's own `exports`. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

export interface TypedProject {
  /** What the real compiler says about exactly these files: `main.ts:3 TS2345`, in the order of the files and lines. */
  complaints(
    files: Readonly<Record<string, string>>,
    resolution?: 'bundler' | 'nodenext',
  ): Promise<readonly string[]>;
  remove(): void;
}

/** Needs no build, so it works on a fresh clone; type errors in `src` are the business of `tsc -b`. */
export async function createTypedProject(): Promise<TypedProject> {
  const folder = mkdtempSync(join(tmpdir(), 'flagent-typed-'));
  const installed = join(folder, 'node_modules/flagent-offline');
  const app = join(folder, 'app');
  mkdirSync(installed, { recursive: true });
  mkdirSync(app);
  copyFileSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
  writeFileSync(join(app, 'package.json'), '{"type":"module"}');
  await emitDeclarations(join(installed, 'dist/types'), folder);

  return {
    async complaints(files, resolution = 'bundler') {
      for (const name of readdirSync(app)) if (name.endsWith('.ts')) rmSync(join(app, name));
      for (const [name, text] of Object.entries(files)) writeFileSync(join(app, name), text);
      const config = { compilerOptions: { ...APP_OPTIONS, ...RESOLUTIONS[resolution] }, include: ['*.ts'] };
      writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(config));
      const output = await runCompiler(app);
      const found = [...output.matchAll(/^(?:(\S+)\((\d+),\d+\): )?error (TS\d+)/gm)];
      return found.map(([, name = 'project', line = '', code]) => `${name}:${line} ${code}`);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** As strict as an application gets, and with a look into the declaration files that most leave out. */
const APP_OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false,
  target: 'es2023',
  lib: ['es2023', 'dom'],
  types: [],
};

const RESOLUTIONS = {
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
};

async function emitDeclarations(outDir: string, folder: string): Promise<void> {
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      ...{ composite: false, tsBuildInfoFile: null, rootDir: join(ROOT, 'src'), outDir },
      lib: ['es2023', 'dom', 'dom.iterable', 'webworker'],
    },
    files: [join(ROOT, 'src/index.ts')],
    references: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  await runCompiler(folder);
}

/** Everything that it prints; complaints are no failure here. */
function runCompiler(folder: string): Promise<string> {
  return new Promise((done, fail) => {
    const args = [TSC, '-p', folder, '--pretty', 'false'];
    execFile(process.execPath, args, { cwd: folder, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error !== null && (typeof error.code !== 'number' || stdout === ''))
        fail(new Error(stderr, { cause: error }));
      else done(stdout);
    });
  });
}
