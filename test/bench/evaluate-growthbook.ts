/**
 * GrowthBook, as it is fastest for many people: `GrowthBookClient`, which takes the person with each call, with its features given inline,
 * no callback, no sticky buckets. Segments are rules that force a variant; only the split needs an experiment and its hash.
 */
import { type ConditionInterface, GrowthBookClient, type UserContext } from '@growthbook/growthbook';
import { COUNTRIES, type Decide, NOWHERE, PATTERN, PEOPLE, type PerShape } from './evaluate-shapes.ts';

const force = (condition: ConditionInterface, variant: string) =>
  ({ id: variant, condition, force: variant }) as const;

export async function prepareGrowthBook(): Promise<PerShape<Decide>> {
  const client = new GrowthBookClient().initSync({
    payload: {
      features: {
        'one-rule': { defaultValue: null, rules: [force({ country: 'US' }, 'treatment')] },
        'many-rules': {
          defaultValue: null,
          rules: [
            force({ country: NOWHERE, plan: 'pro', age: { $gte: 18 } }, 'v1'),
            force({ plan: { $in: ['pro', 'team'] }, country: NOWHERE, age: { $gte: 18 } }, 'v2'),
            force({ beta: true, plan: { $ne: 'free' }, age: { $gt: 200 } }, 'v3'),
            force({ age: { $gte: 18 }, email: { $regex: '@' }, country: NOWHERE }, 'v4'),
            force(
              {
                age: { $lt: 100 },
                country: { $in: [...new Set(COUNTRIES)] },
                plan: { $in: ['free', 'pro', 'team'] },
              },
              'v5',
            ),
          ],
        },
        regex: {
          defaultValue: null,
          rules: [force({ email: { $regex: `^(?:${PATTERN})$` } }, 'treatment')],
        },
        split: {
          defaultValue: null,
          rules: [
            {
              variations: ['control', 'treatment'],
              weights: [0.5, 0.5],
              hashAttribute: 'id',
              hashVersion: 2,
            },
          ],
        },
      },
    },
  });
  const users: readonly UserContext[] = PEOPLE.map(({ id, context }) => ({ attributes: { id, ...context } }));
  const decider =
    (key: string): Decide =>
    (index) =>
      client.evalFeature(key, users[index] as UserContext).value;
  return {
    'one rule': decider('one-rule'),
    '5 segments × 3 constraints': decider('many-rules'),
    regex: decider('regex'),
    '50/50 split': decider('split'),
  };
}
