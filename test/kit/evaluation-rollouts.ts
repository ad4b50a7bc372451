/** The rows of `rollout.json`: into which bucket an entity falls, and which variant it then gets. */
import { readFileSync } from 'node:fs';
import type { EvaluationRequest } from '../../src/core/evaluate/evaluation.ts';
import type { Flag } from '../../src/core/model.ts';
import { flagWith } from './evaluation-vectors.ts';

interface RolloutVectors {
  readonly salts: readonly string[];
  readonly entityIds: readonly string[];
  /** By entity, then by salt. */
  readonly buckets: readonly (readonly number[])[];
  readonly configs: readonly { readonly id: string; readonly distributions: readonly [number, number][] }[];
  readonly variantEntityIds: readonly string[];
  /** By config, then by percentage, then by entity. */
  readonly variants: Readonly<Record<string, Readonly<Record<string, readonly (number | null)[]>>>>;
  readonly counts: readonly {
    readonly config: string;
    readonly rolloutPercent: number;
    readonly salt: string;
    readonly counts: Readonly<Record<string, number>>;
  }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/rollout.json', import.meta.url), 'utf8'),
) as RolloutVectors;

/** Flags, requests, and what each request must be answered with. */
export interface RolloutTable<Expected> {
  readonly name: string;
  readonly flags: readonly Flag[];
  readonly requests: readonly EvaluationRequest[];
  readonly expected: readonly Expected[];
}

/** All buckets: one flag per salt, each asked for every entity. */
export function bucketTable(): RolloutTable<number | undefined> {
  const { salts, entityIds, buckets } = vectors;
  return {
    name: 'buckets',
    flags: salts.map((salt) => flagWith([], { id: Number(salt), key: `salt_${salt}` })),
    requests: salts.flatMap((salt) =>
      entityIds.map((entityID) => ({ flagKey: `salt_${salt}`, entityID, enableDebug: true })),
    ),
    expected: salts.flatMap((_, column) => buckets.map((row) => row[column])),
  };
}

/** One table per configuration and percentage, with the variants of all entities. All of them are about the flag with the id 1. */
export function variantTables(): readonly RolloutTable<number | null>[] {
  return Object.entries(vectors.variants).flatMap(([config, byPercentage]) =>
    Object.entries(byPercentage).map(([percent, expected]) => ({
      name: `${config} at ${percent} %`,
      flags: [rolloutFlag(config, 1, Number(percent))],
      requests: vectors.variantEntityIds.map((entityID) => ({ flagKey: 'f', entityID })),
      expected,
    })),
  );
}

/** How many of the entities `0` to `99999` get each variant of the flag `f`. */
export interface CountRow {
  readonly name: string;
  readonly flag: Flag;
  readonly entities: number;
  /** By variant id, and `none`. */
  readonly counts: Readonly<Record<string, number>>;
}

export function countRows(): readonly CountRow[] {
  return vectors.counts.map(({ config, rolloutPercent, salt, counts }) => ({
    name: `${config} at ${rolloutPercent} %`,
    flag: rolloutFlag(config, Number(salt), rolloutPercent),
    entities: 100_000,
    counts,
  }));
}

function rolloutFlag(config: string, id: number, rolloutPercent: number): Flag {
  const pairs = vectors.configs.find((known) => known.id === config)?.distributions ?? [];
  const distributions = pairs.map(([variantID, percent]) => ({ variantID, percent }));
  return flagWith([], { id, segments: [{ id: 1, rolloutPercent, distributions }] });
}
