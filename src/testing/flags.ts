/** Flags as plain data for tests and benches: one to taste, or thousands that look like a company's. `{ flags }` is a body for `POST /api/v1/import`. */
import type { Flag, Segment, Variant } from '../core/model.ts';

/** A small enabled flag with the variants `on` and `control`, everybody gets `on`; `facts` replaces any field. Give each flag of one server its own `id`. */
export function buildFlag(key: string, facts: Partial<Omit<Flag, 'key'>> = {}): Flag {
  const id = facts.id ?? 1;
  const variants = facts.variants ?? [buildVariant(id * 10, 'on'), buildVariant(id * 10 + 1, 'control')];
  return {
    id,
    key,
    description: '',
    enabled: true,
    snapshotID: 1,
    dataRecordsEnabled: false,
    entityType: null,
    dependsOn: [],
    segments: facts.segments ?? [segmentForAll(id * 10, variants)],
    variants,
    tags: [],
    updatedAt: '2026-03-05T10:00:00.123',
    ...facts,
  };
}

function buildVariant(id: number, key: string, attachment: Variant['attachment'] = null): Variant {
  return { id, key, attachment };
}

/** Everybody is let in and gets the first variant. */
function segmentForAll(id: number, [first]: readonly Variant[]): Segment {
  return {
    id,
    description: 'everybody',
    rank: 1,
    rolloutPercent: 100,
    constraints: [],
    distributions:
      first === undefined ? [] : [{ id, variantID: first.id, variantKey: first.key, percent: 100 }],
  };
}

/** `count` different flags with ids from 1, 300 to 700 bytes of JSON each; the same seed gives the same flags. */
export function buildFlags(count: number, seed = 1): Flag[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => realisticFlag(index + 1, random));
}

const TEAMS = ['checkout', 'search', 'growth', 'mobile', 'billing', 'platform'] as const;
const WORDS = [
  'new',
  'fast',
  'beta',
  'rollout',
  'banner',
  'flow',
  'layout',
  'retry',
  'cache',
  'price',
] as const;
const COUNTRIES = ['US', 'DE', 'FR', 'JP', 'BR', 'IN'] as const;

function realisticFlag(id: number, random: () => number): Flag {
  const pick = <T>(values: readonly [T, ...T[]]): T =>
    values[Math.floor(random() * values.length)] ?? values[0];
  const team = pick(TEAMS);
  const words = [pick(WORDS), pick(WORDS)];
  const isExperiment = random() < 0.5;
  const percent = isExperiment ? Math.floor(random() * 101) : 100;
  const on = buildVariant(id * 10, 'treatment', random() < 0.3 ? { color: pick(['blue', 'green']) } : null);
  const control = buildVariant(id * 10 + 1, 'control');
  const share = (variant: Variant, of: number): Segment['distributions'][number] => ({
    id: variant.id,
    variantID: variant.id,
    variantKey: variant.key,
    percent: of,
  });
  const constraint =
    random() < 0.6
      ? [{ id: id * 10, property: 'country', operator: 'EQ', value: JSON.stringify(pick(COUNTRIES)) }]
      : [];
  return buildFlag(`${team}.${words.join('_')}_${id}`, {
    id,
    description: `${team}: ${words.join(' ')}`,
    enabled: random() < 0.8,
    snapshotID: 1 + Math.floor(random() * 500),
    entityType: 'user',
    segments: [
      {
        id: id * 10,
        description: constraint.length === 0 ? 'everybody' : 'one country first',
        rank: 1,
        rolloutPercent: Math.floor(random() * 101),
        constraints: constraint,
        distributions: isExperiment ? [share(on, percent), share(control, 100 - percent)] : [share(on, 100)],
      },
    ],
    variants: isExperiment ? [on, control] : [on],
    tags: [{ id: TEAMS.indexOf(team) + 1, value: team }],
  });
}

/** Marsaglia's 32-bit xorshift (13, 17, 5); numbers from 0 to below 1. */
function seededRandom(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
