/** The process of one contender: prepares it, then does what the bench asks for, one thing at a time. */
import { GCProfiler } from 'node:v8';
import * as growthBook from './evaluate-growthbook.ts';
import * as openFeature from './evaluate-openfeature.ts';
import * as ours from './evaluate-ours.ts';
import { type Decide, PEOPLE, type PerShape, type Shape } from './evaluate-shapes.ts';

export type ContenderName =
  | 'evaluate'
  | 'evaluateNow'
  | 'GrowthBook'
  | 'OpenFeature provider'
  | 'OpenFeature client';

/** What the bench asks; the answer is the type beside it. */
export interface Questions {
  /** What each person gets. */
  decisions: readonly (string | null)[];
  /** Evaluations per second of processor time, over at least `ROUND_MS`. */
  speed: number;
  /** Bytes per evaluation. */
  allocation: number;
}

export interface Question {
  readonly what: keyof Questions;
  readonly shape: Shape;
}

const PREPARE: Readonly<Record<ContenderName, (serverUrl: string) => Promise<PerShape<Decide>>>> = {
  evaluate: ours.prepareCore,
  evaluateNow: ours.prepareClient,
  GrowthBook: growthBook.prepareGrowthBook,
  'OpenFeature provider': openFeature.prepareProvider,
  'OpenFeature client': openFeature.prepareClient,
};

const ROUND_MS = 150;
/** Of all people. Few enough that the young generation of `--min-semi-space-size=256` holds what they allocate. */
const ALLOCATION_ROUNDS = 20;

const ANSWERS: { readonly [What in keyof Questions]: (decide: Decide) => Questions[What] } = {
  decisions: (decide) => PEOPLE.map((_, index) => decide(index)),
  speed: (decide) => {
    const startMs = workedMs();
    let evaluations = 0;
    let tookMs = 0;
    while (tookMs < ROUND_MS) {
      decideAll(decide);
      evaluations += PEOPLE.length;
      tookMs = workedMs() - startMs;
    }
    return (evaluations * 1_000) / tookMs;
  },
  allocation: (decide) => {
    globalThis.gc?.();
    const profiler = new GCProfiler();
    profiler.start();
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < ALLOCATION_ROUNDS; round += 1) decideAll(decide);
    const allocated = process.memoryUsage().heapUsed - before;
    const collections = profiler.stop().statistics.length;
    if (collections > 0) throw new Error('The garbage collector ran, so what was allocated is not known.');
    return allocated / (ALLOCATION_ROUNDS * PEOPLE.length);
  },
};

/** Of this thread on a processor, so that whoever else is busy on this machine does not count. */
function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Counted and kept, so that no compiler finds the work to be in vain. */
let variants = 0;

function decideAll(decide: Decide): void {
  for (let index = 0; index < PEOPLE.length; index += 1) if (decide(index) !== null) variants += 1;
}

const [, , name = '', serverUrl = ''] = process.argv;
const deciders = await PREPARE[name as ContenderName](serverUrl);
process.on('message', ({ what, shape }: Question) => process.send?.(ANSWERS[what](deciders[shape])));
process.on('disconnect', () => process.exit(variants < 0 ? 1 : 0));
process.send?.('ready');
