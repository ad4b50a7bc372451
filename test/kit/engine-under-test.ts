/** The engine that a browser test runs in: vitest runs each file once per engine, in a project for each. */
import type { Browser, Capabilities, LaunchOptions } from './browser.ts';
import { CAPABILITIES } from './capabilities.ts';
import { ENGINE_OF_PROJECT, toEngineName } from './chosen-engines.ts';
import { launchBrowser } from './engines.ts';
import type { EngineName } from './find-engine.ts';

export interface EngineUnderTest {
  readonly name: EngineName;
  /** For tests that not every engine's driver can run: `test.runIf(engine.can.freeze)('…')`. */
  readonly can: Capabilities;
  launch(options?: LaunchOptions): Promise<Browser>;
}

const name = toEngineName(process.env[ENGINE_OF_PROJECT] ?? '', ENGINE_OF_PROJECT);

export const engine: EngineUnderTest = {
  name,
  can: CAPABILITIES[name],
  launch: (options) => launchBrowser(name, options),
};
