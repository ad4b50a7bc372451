/**
 * Evaluations per second of processor time, and bytes that one allocates: ours beside GrowthBook's client and OpenFeature's in-memory
 * provider, on flags of like shape. Each contender is bundled for production, as an application would, and has a process of its own;
 * rounds are interleaved. All decide alike, or there are no numbers.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { startTestServer } from '../../src/testing/index.ts';
import type { ContenderName, Question, Questions } from './evaluate-child.ts';
import { FLAGS, PEOPLE, RIGHT, SHAPES, type Shape } from './evaluate-shapes.ts';
import type { Row } from './report.ts';

const CONTENDERS: Readonly<Record<ContenderName, string>> = {
  evaluate: 'ours, evaluate',
  evaluateNow: 'ours, client.evaluateNow',
  GrowthBook: `GrowthBook ${versionOf('@growthbook/growthbook')}`,
  'OpenFeature provider': `OpenFeature ${versionOf('@openfeature/web-sdk')}, provider alone`,
  'OpenFeature client': `OpenFeature ${versionOf('@openfeature/web-sdk')}, client`,
};
const NAMES = Object.keys(CONTENDERS) as ContenderName[];

/** The first ones warm up. */
const SPEED_ROUNDS = { warm: 4, counted: 11 } as const;
const ALLOCATION_ROUNDS = { warm: 4, counted: 3 } as const;
/** No collection while bytes are counted. */
const ROOMY = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'];

export async function benchEvaluate(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'flagent-evaluate-'));
  const server = await startTestServer({ flags: Object.values(FLAGS) });
  try {
    await bundle(folder);
    const measure = (what: 'speed' | 'allocation', rounds: Rounds, execArgv: readonly string[]) =>
      withContenders({ folder, serverUrl: server.url, execArgv }, (contenders) =>
        sample(contenders, what, rounds),
      );
    const speeds = await measure('speed', SPEED_ROUNDS, []);
    const allocations = await measure('allocation', ALLOCATION_ROUNDS, ROOMY);
    return [...rowsOf(speeds, 'per second'), ...rowsOf(allocations, 'bytes')];
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Rounds {
  readonly warm: number;
  readonly counted: number;
}

interface Contender {
  readonly name: ContenderName;
  ask<What extends keyof Questions>(what: What, shape: Shape): Promise<Questions[What]>;
}

/** Samples by shape, then by contender. */
type Samples = Map<Shape, Map<ContenderName, number[]>>;

async function sample(
  contenders: readonly Contender[],
  what: 'speed' | 'allocation',
  { warm, counted }: Rounds,
): Promise<Samples> {
  for (const shape of SHAPES) for (const contender of contenders) await checkDecisions(contender, shape);
  const samples: Samples = new Map(SHAPES.map((shape) => [shape, new Map(NAMES.map((name) => [name, []]))]));
  for (let round = -warm; round < counted; round += 1) {
    for (const shape of SHAPES) {
      for (const { name, ask } of contenders) {
        const value = await ask(what, shape);
        if (round >= 0) samples.get(shape)?.get(name)?.push(value);
      }
    }
  }
  return samples;
}

/** GrowthBook hashes otherwise than Flagent, so its split is only held to its shares. */
async function checkDecisions({ name, ask }: Contender, shape: Shape): Promise<void> {
  const decisions = await ask('decisions', shape);
  const count = (wanted: string | null): number => decisions.filter((key) => key === wanted).length;
  const isRight =
    name === 'GrowthBook' && shape === '50/50 split'
      ? Math.abs(count('treatment') - count('control')) < PEOPLE.length / 10 && count(null) === 0
      : PEOPLE.every((person, index) => decisions[index] === RIGHT[shape](person));
  if (!isRight)
    throw new Error(`${CONTENDERS[name]} decides "${shape}" wrongly, so its speed means nothing.`);
}

function rowsOf(samples: Samples, unit: Row['unit']): Row[] {
  return [...samples].flatMap(([shape, ofShape]) =>
    [...ofShape].map(([name, values]) => ({ name: `${shape}: ${CONTENDERS[name]}`, unit, samples: values })),
  );
}

interface Stage {
  readonly folder: string;
  readonly serverUrl: string;
  readonly execArgv: readonly string[];
}

async function withContenders<T>(
  stage: Stage,
  use: (contenders: readonly Contender[]) => Promise<T>,
): Promise<T> {
  const children: ChildProcess[] = [];
  try {
    const contenders: Contender[] = [];
    for (const name of NAMES) {
      const child = fork(join(stage.folder, 'child.mjs'), [name, stage.serverUrl], {
        execArgv: [...stage.execArgv],
        env: { ...process.env, NODE_ENV: 'production' },
      });
      children.push(child);
      await nextMessage(child);
      contenders.push({ name, ask: (what, shape) => ask(child, { what, shape }) });
    }
    return await use(contenders);
  } finally {
    for (const child of children) if (child.connected) child.disconnect();
  }
}

async function ask<Answer>(child: ChildProcess, question: Question): Promise<Answer> {
  const answer = nextMessage(child);
  child.send(question);
  return (await answer) as Answer;
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const [answer] = await Promise.race([
    once(child, 'message', { signal: ended.signal }),
    once(child, 'exit', { signal: ended.signal }).then(() => {
      throw new Error('A contender has ended before its answer.');
    }),
  ]).finally(() => ended.abort());
  return answer;
}

async function bundle(folder: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"production"' },
    ssr: { noExternal: true },
    build: {
      ssr: resolve(import.meta.dirname, 'evaluate-child.ts'),
      outDir: folder,
      minify: true,
      target: 'es2022',
      rolldownOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  });
}

function versionOf(packageName: string): string {
  const file = resolve(import.meta.dirname, `../../node_modules/${packageName}/package.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
