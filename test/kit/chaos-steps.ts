/** Random schedules for `chaos-world`, as fast-check makes and shrinks them. They print as literals that can be pasted into a test. */
import fc from 'fast-check';
import { type ChaosOptions, createChaosWorld, type Step } from './chaos-world.ts';

const arbSlot = fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const);
const step = <S extends Step>(...parts: { [I in keyof S]: fc.Arbitrary<S[I]> }): fc.Arbitrary<Step> =>
  fc.tuple(...(parts as unknown as fc.Arbitrary<unknown>[])) as unknown as fc.Arbitrary<Step>;
const is = <const T>(value: T) => fc.constant(value);
const oneOf = <const T>(...values: T[]) => fc.constantFrom(...values);
const anyOf = (...steps: Step[]): fc.Arbitrary<Step> => fc.constantFrom(...steps);

const arbEdit = fc.oneof(
  {
    weight: 4,
    arbitrary: step(
      is('edit'),
      oneOf('a', 'b', 'c'),
      oneOf('update', 'update', 'delete'),
      oneOf('arrives', 'arrives', 'arrives', 'twice', 'lost', 'garbled'),
    ),
  },
  { weight: 1, arbitrary: step(is('burst'), oneOf(2, 5)) },
);

const arbTabStep = fc.oneof(
  { weight: 4, arbitrary: step(is('open'), arbSlot) },
  {
    weight: 3,
    arbitrary: step(oneOf('close', 'crash', 'freeze', 'thaw', 'thaw', 'resume', 'resume'), arbSlot),
  },
  { weight: 1, arbitrary: step(is('suspend'), arbSlot, oneOf('kept', 'lost')) },
  { weight: 1, arbitrary: step(is('wake'), arbSlot, oneOf('online', 'offline', 'visible')) },
);

const arbBrowserStep = anyOf(
  ['crash worker', 'old'],
  ['crash worker', 'new'],
  ['crash worker', 'new'],
  ['freeze worker'],
  ['thaw worker'],
  ['deploy', 'same protocol'],
  ['deploy', 'newer protocol'],
  ['clear storage'],
  ['break storage'],
  ['mend storage'],
  ['jump', -3_600_000],
  ['jump', 86_400_000],
  ['sleep', 30_000],
  ['sleep', 3_600_000],
);

const arbServerStep = anyOf(
  ['cut'],
  ['cut'],
  ['stall'],
  ['refuse'],
  ['restore'],
  ['restore'],
  ['restore'],
  ['snapshots', 'work'],
  ['snapshots', 'fail'],
  ['snapshots', 'come late'],
  ['restart', 'without a word'],
  ['restart', 'bye'],
  ['new epoch', 'cut'],
  ['new epoch', 'stay open'],
  ['truncate log'],
  ['fall behind', 1],
  ['fall behind', 3],
  ['catch up'],
  ['expire token'],
);

const arbSession = step(oneOf('forget', 'refresh', 'refresh'), arbSlot);
const arbWait = step(is('wait'), oneOf(100, 2_000, 7_000, 15_000, 60_000));

const arbStep = fc.oneof(
  { weight: 6, arbitrary: arbEdit },
  { weight: 7, arbitrary: arbTabStep },
  { weight: 3, arbitrary: arbBrowserStep },
  { weight: 4, arbitrary: arbServerStep },
  { weight: 1, arbitrary: arbSession },
  { weight: 4, arbitrary: arbWait },
);

/** A chance that is shrunk to nothing, and at least one tab. */
export const arbSchedule = fc.record({
  chance: fc.nat({ max: 1_000 }),
  steps: fc.array(arbStep, { minLength: 3, maxLength: 40 }).map((steps): Step[] => [['open', 0], ...steps]),
});

/** Takes every step, ends all faults, and throws the first promise that was broken, with the step that broke it. */
export async function run(options: ChaosOptions, steps: readonly Step[]): Promise<void> {
  const world = createChaosWorld(options);
  const stopWhenBroken = (after: string): void => {
    if (world.broken.length === 0) return;
    const schedule = JSON.stringify({ ...options, steps });
    throw new Error(`After ${after}: ${world.broken.join('; ')}\nFor chaos-found.test.ts: ${schedule}`);
  };
  for (const [index, each] of steps.entries()) {
    await world.take(each);
    stopWhenBroken(`step ${index + 1}, ${JSON.stringify(each)}`);
  }
  await world.recover();
  stopWhenBroken('the faults had ended');
  await world.lastEdit();
  stopWhenBroken('a last edit');
  await world.closeAll();
  stopWhenBroken('all was closed');
}
