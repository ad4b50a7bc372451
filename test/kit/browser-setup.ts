/** Runs once before the browser tests: makes sure that every engine they launch is on this machine. */
import { ENGINE_NAMES, findOrInstallEngine } from './find-engine.ts';

export function setup(): void {
  for (const name of ENGINE_NAMES) findOrInstallEngine(name);
}
