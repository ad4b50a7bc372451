/**
 * OpenFeature's in-memory provider, twice: asked directly, and through the client, which applications are meant to use. Its flags decide by
 * code: what our flags say as data stands here as plain conditions, the cheapest form there is. It has no hash, so it borrows ours.
 */
import { type EvaluationContext, InMemoryProvider, OpenFeature } from '@openfeature/web-sdk';
import { bucketOf, saltOf } from '../../src/core/evaluate/rollout.ts';
import {
  type Decide,
  FLAGS,
  NOWHERE,
  PATTERN,
  PEOPLE,
  type PerShape,
  type Person,
  type Shape,
} from './evaluate-shapes.ts';

/** What stands for no variant. */
const NONE = 'none';

type Context = Person['context'];

const countries = new Set(['US', 'DE', 'FR', 'JP', 'BR']);
const paid = new Set(['pro', 'team']);
const plans = new Set(['free', 'pro', 'team']);
const pattern = new RegExp(`^(?:${PATTERN})$`);
const salt = saltOf(FLAGS['50/50 split'].id);

const DECISIONS: PerShape<(context: Context, id: string) => string> = {
  'one rule': ({ country }) => (country === 'US' ? 'treatment' : NONE),
  '5 segments × 3 constraints': ({ country, plan, age, beta, email }) => {
    if (country === NOWHERE && plan === 'pro' && age >= 18) return 'v1';
    if (paid.has(plan) && country === NOWHERE && age >= 18) return 'v2';
    if (beta && plan !== 'free' && age > 200) return 'v3';
    if (age >= 18 && email.includes('@') && country === NOWHERE) return 'v4';
    return age < 100 && countries.has(country) && plans.has(plan) ? 'v5' : NONE;
  },
  regex: ({ email }) => (pattern.test(email) ? 'treatment' : NONE),
  '50/50 split': (_, id) => (bucketOf(salt, id) < 500 ? 'treatment' : 'control'),
};

function createProvider(): InMemoryProvider {
  const names = ['treatment', 'control', 'v1', 'v2', 'v3', 'v4', 'v5', NONE];
  const variants = Object.fromEntries(names.map((name) => [name, name]));
  const configuration = Object.entries(DECISIONS).map(([shape, decide]) => [
    shape,
    {
      disabled: false,
      variants,
      defaultVariant: NONE,
      contextEvaluator: (context: EvaluationContext) =>
        decide(context as unknown as Context, context.targetingKey ?? ''),
    },
  ]);
  return new InMemoryProvider(Object.fromEntries(configuration));
}

const contexts: readonly EvaluationContext[] = PEOPLE.map(({ id, context }) => ({
  targetingKey: id,
  ...context,
}));

export async function prepareProvider(): Promise<PerShape<Decide>> {
  const provider = createProvider();
  return perShape((shape) => (index) => {
    const { value } = provider.resolveStringEvaluation(shape, NONE, contexts[index] as EvaluationContext);
    return value === NONE ? null : value;
  });
}

/** In a page the context is set beforehand and not given with each call, so each person has a domain with a client of its own. */
export async function prepareClient(): Promise<PerShape<Decide>> {
  const provider = createProvider();
  const clients = await Promise.all(
    contexts.map(async (context, index) => {
      await OpenFeature.setProviderAndWait(`person-${index}`, provider, context);
      return OpenFeature.getClient(`person-${index}`);
    }),
  );
  return perShape((shape) => (index) => {
    const { value } = (clients[index] as (typeof clients)[number]).getStringDetails(shape, NONE);
    return value === NONE ? null : value;
  });
}

function perShape(decider: (shape: string) => Decide): PerShape<Decide> {
  return Object.fromEntries(Object.keys(FLAGS).map((shape) => [shape, decider(shape)])) as Record<
    Shape,
    Decide
  >;
}
