/** Flags of four shapes, a thousand people to decide them for, and what is right, worked out without any evaluator. */
import { crc32 } from 'node:zlib';
import type { Constraint, Flag, Segment, Variant } from '../../src/core/model.ts';
import { buildFlag } from '../kit/flags.ts';

export const SHAPES = ['one rule', '5 segments × 3 constraints', 'regex', '50/50 split'] as const;
export type Shape = (typeof SHAPES)[number];

/** A value for each shape: a flag, a way to decide, a decision. */
export type PerShape<T> = Readonly<Record<Shape, T>>;

/** The key of the variant that the person with this index gets; `null` without one. */
export type Decide = (index: number) => string | null;

export interface Person {
  readonly id: string;
  readonly context: {
    readonly country: string;
    readonly plan: string;
    readonly age: number;
    readonly beta: boolean;
    readonly email: string;
  };
}

export const COUNTRIES = ['US', 'DE', 'US', 'FR', 'US', 'JP', 'US', 'BR'] as const;
const PLANS = ['free', 'pro', 'team'] as const;
const HOSTS = ['example.com', 'acme.org', 'example.net', 'mail.test'] as const;
/** Where nobody is. */
export const NOWHERE = 'AQ';

export const PEOPLE: readonly Person[] = Array.from({ length: 1_000 }, (_, index) => ({
  id: index % 2 === 0 ? `user-${index * 7919}` : `${(index * 2_654_435_761).toString(16)}-4c1f-9a7d`,
  context: {
    country: pick(COUNTRIES, index),
    plan: pick(PLANS, index),
    age: 18 + (index % 70),
    beta: index % 5 < 3,
    email: `person.${index}@${pick(HOSTS, index >> 1)}`,
  },
}));

function pick<T>(values: readonly [T, ...T[]], index: number): T {
  return values[index % values.length] ?? values[0];
}

/** Whole addresses of two hosts; every part of it means the same in Java and in JavaScript. */
export const PATTERN = '[a-z0-9._]+@(example|acme)\\.(com|org)';

export const FLAGS: PerShape<Flag> = {
  'one rule': flagWith(1, 'one-rule', ['treatment', 'control'], [[['country', 'EQ', 'US']]]),
  '5 segments × 3 constraints': flagWith(
    2,
    'many-rules',
    ['v1', 'v2', 'v3', 'v4', 'v5'],
    [
      [
        ['country', 'EQ', NOWHERE],
        ['plan', 'EQ', 'pro'],
        ['age', 'GTE', '18'],
      ],
      [
        ['plan', 'IN', 'pro,team'],
        ['country', 'EQ', NOWHERE],
        ['age', 'GTE', '18'],
      ],
      [
        ['beta', 'EQ', 'true'],
        ['plan', 'NEQ', 'free'],
        ['age', 'GT', '200'],
      ],
      [
        ['age', 'GTE', '18'],
        ['email', 'CONTAINS', '@'],
        ['country', 'EQ', NOWHERE],
      ],
      [
        ['age', 'LT', '100'],
        ['country', 'IN', 'US,DE,FR,JP,BR'],
        ['plan', 'IN', 'free,pro,team'],
      ],
    ],
  ),
  regex: flagWith(3, 'regex', ['treatment', 'control'], [[['email', 'EREG', PATTERN]]]),
  '50/50 split': split(4, 'split', ['treatment', 'control']),
};

/** What each person gets. */
export const RIGHT: PerShape<(person: Person) => string | null> = {
  'one rule': ({ context }) => (context.country === 'US' ? 'treatment' : null),
  '5 segments × 3 constraints': () => 'v5',
  regex: ({ context }) => (/@(example|acme)\.(com|org)$/.test(context.email) ? 'treatment' : null),
  '50/50 split': ({ id }) =>
    crc32(`${FLAGS['50/50 split'].id}${id}`) % 1_000 < 500 ? 'treatment' : 'control',
};

type Rule = readonly [property: string, operator: string, value: string];

/** One segment for each list of rules; everybody in the first gets the first variant, and so on. */
function flagWith(
  id: number,
  key: string,
  names: readonly string[],
  rules: readonly (readonly Rule[])[],
): Flag {
  const variants = variantsNamed(names, id);
  const segments = rules.map((segmentRules, index) =>
    segmentWith(
      id * 10 + index,
      segmentRules.map(([property, operator, value], at) => ({ id: at + 1, property, operator, value })),
      variants.slice(index, index + 1),
    ),
  );
  return buildFlag(key, { id, variants, segments });
}

/** Everybody is in, and the variants have equal shares. */
function split(id: number, key: string, names: readonly string[]): Flag {
  const variants = variantsNamed(names, id);
  return buildFlag(key, { id, variants, segments: [segmentWith(id * 10, [], variants)] });
}

function variantsNamed(names: readonly string[], id: number): readonly Variant[] {
  return names.map((key, index) => ({ id: id * 10 + index, key, attachment: null }));
}

function segmentWith(id: number, constraints: readonly Constraint[], variants: readonly Variant[]): Segment {
  const percent = 100 / variants.length;
  const distributions = variants.map(({ id: variantID, key }) => ({
    id: variantID,
    variantID,
    variantKey: key,
    percent,
  }));
  return { id, description: '', rank: id, rolloutPercent: 100, constraints, distributions };
}
