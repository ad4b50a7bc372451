/** Where each browser engine's program is, and how to get it when it is missing. One row per engine; launching is `engines.ts`. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

interface EngineProgram {
  /** Names a program that wins over all others. */
  readonly environmentVariable: string;
  /** Looked up in PATH, in this order. */
  readonly names: readonly string[];
  /** Looked up after PATH. */
  readonly places: readonly string[];
  readonly aptPackages: readonly string[];
}

const PROGRAMS = {
  chromium: {
    environmentVariable: 'FLAGENT_CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge'],
    places: [
      '/snap/bin/chromium',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
      'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
    ],
    aptPackages: ['chromium'],
  },
} as const satisfies Record<string, EngineProgram>;

export type EngineName = keyof typeof PROGRAMS;

export const ENGINE_NAMES = Object.keys(PROGRAMS) as readonly EngineName[];

/** The program's path, or undefined when it is not on this machine. Throws when the environment variable names no program. */
export function findEngine(name: EngineName): string | undefined {
  const { environmentVariable, names, places }: EngineProgram = PROGRAMS[name];
  const wished = process.env[environmentVariable];
  if (wished) {
    if (isProgram(wished)) return wished;
    throw new Error(`${environmentVariable} is ${wished}, which is not a program. Correct it or unset it.`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute);
  const inPath = names.flatMap((program) => folders.map((folder) => join(folder, program)));
  return [...inPath, ...places].find(isProgram);
}

/** Finds the program, or installs it from the distribution's packages (root on Debian or Ubuntu), or says how to get it. */
export function findOrInstallEngine(name: EngineName): string {
  const found = findEngine(name);
  if (found !== undefined) return found;
  const { aptPackages, environmentVariable }: EngineProgram = PROGRAMS[name];
  if (canInstall()) {
    console.log(`No ${name} on this machine; installing ${aptPackages.join(' ')} with apt-get.`);
    install(aptPackages);
  }
  const installed = findEngine(name);
  if (installed !== undefined) return installed;
  throw new Error(
    `The browser tests need ${name}, and it is not on this machine. Install it ` +
      `(Debian, Ubuntu: sudo apt-get install ${aptPackages.join(' ')}), or set ${environmentVariable} to the path of its program.`,
  );
}

function canInstall(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && isProgram('/usr/bin/apt-get');
}

function install(packages: readonly string[]): void {
  const aptGet = (...args: string[]): void => {
    execFileSync('/usr/bin/apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  };
  try {
    aptGet('update');
    aptGet('install', '-y', '--no-install-recommends', ...packages);
  } catch (error) {
    // The caller looks again and then says what to do; this line says why.
    console.error(`apt-get could not install ${packages.join(' ')}: ${(error as Error).message}`);
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
