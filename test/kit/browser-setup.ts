/** Runs once per engine before its browser tests: makes sure that the engine is on this machine, and says when others were left out. */
import type { TestProject } from 'vitest/node';
import { chooseEngines, ENGINE_OF_PROJECT } from './chosen-engines.ts';
import { ENGINE_NAMES, findOrInstallEngine } from './find-engine.ts';

export function setup(project: TestProject): void {
  const engines = chooseEngines();
  const name = engines.find((engine) => engine === project.config.env[ENGINE_OF_PROJECT]);
  if (name === undefined) return;
  const leftOut = ENGINE_NAMES.filter((engine) => !engines.includes(engine));
  if (name === engines[0] && leftOut.length > 0) {
    console.log(
      `ENGINES leaves out ${leftOut.join(', ')}: the browser tests run in ${engines.join(', ')} only.`,
    );
  }
  findOrInstallEngine(name);
}
