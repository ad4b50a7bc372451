/** Random schedules for `real-chaos-world`, as fast-check makes and shrinks them. They print as literals. */
import fc from 'fast-check';
import type { Capabilities } from './browser.ts';

export const SLOTS = [0, 1, 2, 3, 4] as const;
export type Slot = (typeof SLOTS)[number];
export type ChaosHost = 'shared-worker' | 'tab';

/** A step that finds nothing to act on does nothing, so that every part of a schedule is a schedule too. */
export type RealStep =
  | readonly ['open', Slot, ChaosHost]
  | readonly [
      'close' | 'reload' | 'crash' | 'freeze' | 'thaw' | 'leave' | 'come back' | 'delete database',
      Slot,
    ]
  | readonly ['sign out' | 'sign in', Slot]
  | readonly ['sign', Slot, 'online' | 'offline']
  | readonly ['crash worker']
  | readonly ['deploy']
  | readonly ['cut', 'reset' | 'fin']
  | readonly ['cut after', number]
  | readonly ['stall' | 'refuse' | 'trickle' | 'restore']
  | readonly ['server down', 'SIGTERM' | 'SIGKILL']
  | readonly ['server up']
  | readonly ['edit']
  | readonly ['burst', number]
  | readonly ['wait', number];

const is = <const T>(value: T) => fc.constant(value);
const oneOf = <const T>(...values: T[]) => fc.constantFrom(...values);
const arbSlot = fc.constantFrom(...SLOTS);

const arbTabStep = (can: Capabilities): fc.Arbitrary<RealStep> => {
  const verbs = ['close', 'reload', 'leave', 'leave', 'come back', 'come back', 'delete database'] as const;
  return fc.oneof(
    { weight: 8, arbitrary: fc.tuple(is('open'), arbSlot, oneOf<ChaosHost>('shared-worker', 'tab')) },
    { weight: 8, arbitrary: fc.tuple(oneOf(...verbs), arbSlot) },
    { weight: can.crashTab ? 2 : 0, arbitrary: fc.tuple(is('crash'), arbSlot) },
    { weight: can.freeze ? 3 : 0, arbitrary: fc.tuple(oneOf('freeze', 'freeze', 'thaw'), arbSlot) },
    { weight: 1, arbitrary: fc.tuple(is('sign'), arbSlot, oneOf('online', 'offline')) },
    { weight: 1, arbitrary: fc.tuple(oneOf('sign out', 'sign in'), arbSlot) },
  );
};

const arbBrowserStep: fc.Arbitrary<RealStep> = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(is('crash worker')) },
  { weight: 1, arbitrary: fc.tuple(is('deploy')) },
);

const arbNetworkStep: fc.Arbitrary<RealStep> = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(is('cut'), oneOf('reset', 'fin')) },
  { weight: 1, arbitrary: fc.tuple(is('cut after'), fc.integer({ min: 1, max: 2_000 })) },
  { weight: 2, arbitrary: fc.tuple(oneOf('stall', 'refuse', 'trickle')) },
  { weight: 4, arbitrary: fc.tuple(is('restore')) },
  { weight: 1, arbitrary: fc.tuple(is('server down'), oneOf('SIGTERM', 'SIGKILL')) },
  { weight: 2, arbitrary: fc.tuple(is('server up')) },
);

const arbEdit: fc.Arbitrary<RealStep> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(is('edit')) },
  { weight: 1, arbitrary: fc.tuple(is('burst'), oneOf(3, 10)) },
);

/** The longest wait is longer than the watchdog of the schedules. */
const arbWait: fc.Arbitrary<RealStep> = fc.tuple(is('wait'), oneOf(10, 100, 100, 500, 2_500));

/** Begins with a tab, and holds only what the engine's driver can do. */
export function arbRealSchedule(can: Capabilities): fc.Arbitrary<readonly RealStep[]> {
  const arbStep = fc.oneof(
    { weight: 9, arbitrary: arbTabStep(can) },
    { weight: 3, arbitrary: arbBrowserStep },
    { weight: 5, arbitrary: arbNetworkStep },
    { weight: 5, arbitrary: arbEdit },
    { weight: 3, arbitrary: arbWait },
  );
  const arbHosts = fc.array(oneOf<ChaosHost>('shared-worker', 'tab'), { minLength: 1, maxLength: 3 });
  return fc
    .tuple(arbHosts, fc.array(arbStep, { minLength: 4, maxLength: 20 }))
    .map(([hosts, steps]) => [
      ...hosts.map((host, index): RealStep => ['open', SLOTS[index] ?? 0, host]),
      ...steps,
    ]);
}
