/** What cannot be played in an engine, by the scenario's name, and why. Everything else runs in every engine and on both hosts. */
import type { Capabilities } from './browser.ts';
import { CAPABILITIES } from './capabilities.ts';
import type { EngineName } from './find-engine.ts';
import type { ScenarioHost } from './scenario.ts';

export interface ScenarioLimit {
  readonly scenario: string;
  readonly engines: readonly EngineName[];
  /** Both without it. */
  readonly host?: ScenarioHost;
  /** A means of the driver that is missing there; a test compares the two. */
  readonly needs?: keyof Capabilities;
  readonly because: string;
}

const NO_CRASH = {
  engines: ['webkit'],
  needs: 'crashTab',
  because: 'one process shows all tabs, so none would be left to go on',
} as const;
const NO_FREEZE = {
  engines: ['firefox', 'webkit'],
  needs: 'freeze',
  because: 'the engine has no page lifecycle, and its driver cannot stop the tasks of a page',
} as const;

export const SCENARIO_LIMITS: readonly ScenarioLimit[] = [
  { scenario: 'the tab that streams crashes, and the next one goes on', ...NO_CRASH },
  { scenario: 'a tab that crashes while another streams is not counted for long', ...NO_CRASH },
  {
    scenario:
      'the tab that streams is frozen: another one streams, and the thawed one is current and follows',
    ...NO_FREEZE,
  },
  {
    scenario:
      'the tab that streams hangs with the lock in its hand: another takes the stream, and the one that wakes follows it',
    ...NO_FREEZE,
  },
  {
    scenario: 'a tab that follows is frozen and thawed: it misses nothing and disturbs nobody',
    ...NO_FREEZE,
  },
  {
    scenario:
      'the server is down for a minute with 20 tabs: few attempts, and all tabs current soon after it is back and `online` fires',
    engines: ['firefox', 'webkit'],
    because: 'the number of attempts is decided by the machine that all engines share, and 20 tabs are dear',
  },
];

export function limitOf(scenario: string, engine: EngineName, host: ScenarioHost): ScenarioLimit | undefined {
  return SCENARIO_LIMITS.find(
    (limit) =>
      limit.scenario === scenario &&
      limit.engines.includes(engine) &&
      (limit.host === undefined || limit.host === host),
  );
}

/** The engines whose driver lacks the means. */
export function enginesWithout(capability: keyof Capabilities): readonly EngineName[] {
  return (Object.keys(CAPABILITIES) as EngineName[]).filter((engine) => !CAPABILITIES[engine][capability]);
}
