/** The engines that a run is for. */
import { ENGINE_NAMES, type EngineName } from './find-engine.ts';

/** Environment variable: comma-separated names. All engines without it. */
const LIST = 'ENGINES';

export function chooseEngines(list = process.env[LIST] ?? ''): readonly EngineName[] {
  return list.trim() === '' ? ENGINE_NAMES : list.split(',').map((part) => toEngineName(part.trim(), LIST));
}

/** Checks a name that came from an environment variable. */
export function toEngineName(name: string, variable: string): EngineName {
  const known = ENGINE_NAMES.find((engine) => engine === name);
  if (known !== undefined) return known;
  throw new Error(
    `${variable} names the engine ${JSON.stringify(name)}; there are ${ENGINE_NAMES.join(', ')}.`,
  );
}

/** Environment variable in which vitest's project of an engine tells the tests its name. */
export const ENGINE_OF_PROJECT = 'ENGINE_UNDER_TEST';
