/** Where each browser engine's programs are, and how to get them when they are missing. One row per engine; launching is `engines.ts`. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

interface Program {
  /** Names a program that wins over all others. */
  readonly environmentVariable: string;
  /** Looked up in PATH, in this order. */
  readonly names: readonly string[];
  /** Looked up after PATH. */
  readonly places: readonly string[];
  /** Whether the program found is of use; any is, without this. */
  readonly check?: (path: string) => boolean;
}

interface Engine<Part extends string> {
  readonly programs: Readonly<Record<Part, Program>>;
  readonly aptPackages: readonly string[];
}

const CHROMIUM: Engine<'browser'> = {
  programs: {
    browser: {
      environmentVariable: 'FLAGENT_CHROMIUM',
      names: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge'],
      places: [
        '/snap/bin/chromium',
        '/Applications/Chromium.app/Contents/MacOS/Chromium',
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
        'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
        'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
      ],
    },
  },
  aptPackages: ['chromium'],
};

const FIREFOX: Engine<'browser'> = {
  programs: {
    browser: {
      environmentVariable: 'FLAGENT_FIREFOX',
      names: ['firefox-esr', 'firefox'],
      places: [
        '/Applications/Firefox.app/Contents/MacOS/firefox',
        'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
      ],
    },
  },
  aptPackages: ['firefox-esr'],
};

/** WebKitGTK: its driver, a screen for it, and a Python that can make its windows (`webkit-browser.py`). */
const WEBKIT: Engine<'driver' | 'display' | 'python'> = {
  programs: {
    driver: { environmentVariable: 'FLAGENT_WEBKIT_DRIVER', names: ['WebKitWebDriver'], places: [] },
    display: { environmentVariable: 'FLAGENT_XVFB', names: ['Xvfb'], places: [] },
    python: {
      environmentVariable: 'FLAGENT_PYTHON',
      names: ['python3'],
      places: ['/usr/bin/python3'],
      check: canMakeWebKitWindows,
    },
  },
  aptPackages: ['webkit2gtk-driver', 'gir1.2-webkit2-4.1', 'python3-gi', 'xvfb'],
};

const ENGINES = { chromium: CHROMIUM, firefox: FIREFOX, webkit: WEBKIT };

export type EngineName = keyof typeof ENGINES;

/** The path of each program that the engine consists of. */
export type EnginePrograms<Name extends EngineName> = Readonly<
  Record<keyof (typeof ENGINES)[Name]['programs'], string>
>;

export const ENGINE_NAMES = Object.keys(ENGINES) as readonly EngineName[];

/** Finds the programs, or installs them from the distribution's packages (root on Debian or Ubuntu), or says how to get them. */
export function findOrInstallEngine<Name extends EngineName>(name: Name): EnginePrograms<Name> {
  const { programs, aptPackages }: Engine<string> = ENGINES[name];
  if (missing(programs).length > 0 && canInstall()) {
    console.log(`No ${name} on this machine; installing ${aptPackages.join(' ')} with apt-get.`);
    install(aptPackages);
  }
  const stillMissing = missing(programs);
  if (stillMissing.length === 0) {
    const found = Object.entries(programs).map(([part, program]) => [part, findProgram(program)]);
    return Object.fromEntries(found) as EnginePrograms<Name>;
  }
  const others = ENGINE_NAMES.filter((other) => other !== name).join(',');
  throw new Error(
    `The browser tests need ${name}, and its ${stillMissing.join(' and ')} cannot be found on this machine. Install it ` +
      `(Debian, Ubuntu: sudo apt-get install ${aptPackages.join(' ')}), or set ` +
      `${stillMissing.map((part) => programs[part]?.environmentVariable).join(' and ')} to the path of the program, ` +
      `or leave the engine out: ENGINES=${others}.`,
  );
}

function missing(programs: Readonly<Record<string, Program>>): readonly string[] {
  return Object.keys(programs).filter((part) => findProgram(programs[part] as Program) === undefined);
}

const found = new Map<Program, string>();

/** The program's path, or undefined when it is not on this machine. Throws when the environment variable names no program. */
function findProgram(program: Program): string | undefined {
  const path = found.get(program) ?? lookUp(program);
  if (path !== undefined) found.set(program, path);
  return path;
}

function lookUp({ environmentVariable, names, places, check = () => true }: Program): string | undefined {
  const wished = process.env[environmentVariable];
  if (wished) {
    if (isProgram(wished)) return wished;
    throw new Error(`${environmentVariable} is ${wished}, which is not a program. Correct it or unset it.`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute);
  const inPath = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...inPath, ...places].find((path) => isProgram(path) && check(path));
}

/** Another Python first in PATH does not see the distribution's packages. */
function canMakeWebKitWindows(python: string): boolean {
  const attempt = "import gi; gi.require_version('Gtk', '3.0'); gi.require_version('WebKit2', '4.1')";
  try {
    execFileSync(python, ['-c', attempt], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
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
