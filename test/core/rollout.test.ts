/** Buckets and variants against Flagent's own numbers. */
import { readFileSync } from 'node:fs';
import { crc32 as nodeCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layOut, type Share } from '../../src/core/evaluate/prepare.ts';
import { bucketOf, chooseShare, crc32, saltOf } from '../../src/core/evaluate/rollout.ts';

interface RolloutVectors {
  readonly meta: { readonly knownValues: readonly { readonly input: string; readonly crc32: number }[] };
  readonly salts: readonly string[];
  readonly entityIds: readonly string[];
  readonly buckets: readonly (readonly number[])[];
  readonly configs: readonly { readonly id: string; readonly distributions: readonly [number, number][] }[];
  readonly variantEntityIds: readonly string[];
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

const sharesOf = new Map(vectors.configs.map(({ id, distributions }) => [id, shared(distributions)]));

function shared(pairs: readonly [number, number][]): readonly Share[] {
  const distributions = pairs.map(([variantID, percent], index) => ({
    id: index + 1,
    variantID,
    variantKey: null,
    percent,
  }));
  return layOut(distributions, []);
}

function variantOf(config: string, flagID: number, entityID: string, rolloutPercent: number): number | null {
  const bucket = bucketOf(saltOf(flagID), entityID);
  return chooseShare(sharesOf.get(config) ?? [], bucket, rolloutPercent)?.variantID ?? null;
}

test.each(vectors.meta.knownValues)('the checksum of "$input" is $crc32', ({ input, crc32: known }) => {
  expect(crc32(input)).toBe(known);
});

test('the checksum is that of the UTF-8 bytes, for every text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      expect(crc32(text)).toBe(nodeCrc32(text));
    }),
    { numRuns: 2_000 },
  );
});

test('half a surrogate pair counts as a question mark, as on the JVM', () => {
  expect(crc32('a\ud800b\udc00')).toBe(crc32('a?b?'));
  expect(crc32('\ud800\ud800\udc00')).toBe(crc32('?\u{10000}'));
});

test('every entity falls into the bucket that Flagent gives it', () => {
  const wrong = vectors.entityIds.flatMap((entityID, row) =>
    vectors.salts.flatMap((salt, column) => {
      const expected = vectors.buckets[row]?.[column];
      const bucket = bucketOf(saltOf(Number(salt)), entityID);
      return bucket === expected ? [] : [{ entityID, salt, bucket, expected }];
    }),
  );
  expect(wrong).toEqual([]);
  expect(vectors.buckets.flat()).toHaveLength(1007 * 7);
});

test('every entity gets the variant that Flagent gives it, at every percentage', () => {
  const rows = Object.entries(vectors.variants).flatMap(([config, byPercentage]) =>
    Object.entries(byPercentage).flatMap(([percent, variants]) =>
      variants.map((expected, index) => ({
        config,
        percent: Number(percent),
        entityID: vectors.variantEntityIds[index] ?? '',
        expected,
      })),
    ),
  );
  const wrong = rows.filter(
    ({ config, percent, entityID, expected }) => variantOf(config, 1, entityID, percent) !== expected,
  );
  expect(wrong).toEqual([]);
  expect(rows).toHaveLength(6 * 10 * 498);
});

test('100 000 entities are spread as Flagent spreads them', () => {
  expect(vectors.counts).toHaveLength(18);
  for (const { config, rolloutPercent, salt, counts } of vectors.counts) {
    const found: Record<string, number> = {};
    for (let id = 0; id < 100_000; id += 1) {
      const variant = String(variantOf(config, Number(salt), String(id), rolloutPercent) ?? 'none');
      found[variant] = (found[variant] ?? 0) + 1;
    }
    expect(found, `${config} at ${rolloutPercent} %`).toEqual(counts);
  }
});

test('whoever is in a rollout stays in, with the same variant, when the percentage grows', () => {
  const percent = fc.integer({ min: 0, max: 100 });
  const config = fc.constantFrom(...sharesOf.keys());
  fc.assert(
    fc.property(config, fc.nat(), fc.string(), percent, percent, (name, flagID, entityID, a, b) => {
      const before = variantOf(name, flagID, entityID, Math.min(a, b));
      const after = variantOf(name, flagID, entityID, Math.max(a, b));
      if (before !== null) expect(after).toBe(before);
    }),
    { numRuns: 2_000 },
  );
});

test('shares that add up to less than 100 leave the rest to the last one', () => {
  const shares = shared([
    [10, 5],
    [11, 5],
  ]);
  const chosen = Array.from({ length: 200 }, (_, id) =>
    chooseShare(shares, bucketOf(saltOf(1), `${id}`), 100),
  );
  expect(new Set(chosen.map((share) => share?.variantID))).toEqual(new Set([10, 11]));
});

test('no shares and no percentage mean no variant', () => {
  expect(chooseShare([], 0, 100)).toBeUndefined();
  expect(chooseShare(shared([[10, 100]]), 0, 0)).toBeUndefined();
  expect(chooseShare(shared([[10, 100]]), 0, -1)).toBeUndefined();
});
