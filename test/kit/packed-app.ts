/** An application as a stranger would make it: an empty folder, the packed package from a tarball, vite without a config. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const PACKAGE = resolve(import.meta.dirname, '../..');
/** Installed in the versions that this package is developed with. */
const TOOLS = ['vite', 'typescript', '@types/node'];
const START_AT_MOST_MS = 30_000;

export interface PackedApp {
  readonly folder: string;
  /** Runs `node` with the arguments in the application's folder and gives what it printed. */
  node(...args: readonly string[]): Promise<string>;
  /** Runs vite to its end, as `vite('build')`, and gives what it printed. */
  vite(...args: readonly string[]): Promise<string>;
  /** Starts `vite` or `vite preview` on a free port of this machine. */
  serve(command: 'dev' | 'preview'): Promise<ViteServer>;
  remove(): Promise<void>;
}

export interface ViteServer {
  /** With a trailing slash. */
  readonly url: string;
  /** All that vite said so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Packs this package, and installs it and vite into a new folder that holds the given files. */
export async function createPackedApp(files: Readonly<Record<string, string>>): Promise<PackedApp> {
  const folder = await mkdtemp(join(tmpdir(), 'flagent-app-'));
  await npm(PACKAGE, 'pack', '--ignore-scripts', '--pack-destination', folder);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack wrote no tarball.');
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await writeFile(join(folder, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
  await npm(
    folder,
    ...['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'],
    `./${tarball}`,
    ...(await Promise.all(TOOLS.map(versionHere))),
  );

  const viteMain = join(folder, 'node_modules/vite/bin/vite.js');
  return {
    folder,
    node: (...args) => run(folder, process.execPath, args),
    vite: (...args) => run(folder, process.execPath, [viteMain, ...args]),
    serve: (command) =>
      serve(folder, [
        viteMain,
        ...(command === 'dev' ? [] : ['preview']),
        '--host',
        '127.0.0.1',
        '--port',
        '0',
      ]),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** `name@version` as installed in this package. */
async function versionHere(name: string): Promise<string> {
  const text = await readFile(join(PACKAGE, 'node_modules', name, 'package.json'), 'utf8');
  return `${name}@${(JSON.parse(text) as { version: string }).version}`;
}

function npm(folder: string, ...args: readonly string[]): Promise<string> {
  // Set by npm for its scripts: the npm that runs these tests.
  const main = process.env.npm_execpath;
  return main?.endsWith('.js') ? run(folder, process.execPath, [main, ...args]) : run(folder, 'npm', args);
}

async function run(folder: string, program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: folder });
    return stdout + stderr;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed in ${folder}:\n${stdout}${stderr}`, {
      cause: error,
    });
  }
}

async function serve(folder: string, args: readonly string[]): Promise<ViteServer> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const url = await new Promise<string>((found, failed) => {
    const tooLate = setTimeout(() => child.kill('SIGKILL'), START_AT_MOST_MS);
    const listen = (bytes: Buffer): void => {
      said += bytes.toString();
      const [address] = /http:\/\/127\.0\.0\.1:\d+\//.exec(said) ?? [];
      if (address === undefined) return;
      clearTimeout(tooLate);
      found(address);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', () => failed(new Error(`vite ended before it listened.\n${said}`)));
  });
  return { url, output: () => said, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
