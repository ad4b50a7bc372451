/** Ours, twice: the evaluator over a map of flags, and the client that applications use, which has its flags from a server. */
import { evaluate } from '../../src/core/evaluate/evaluate.ts';
import type { FlagLookup } from '../../src/core/evaluate/evaluation.ts';
import { compilePattern } from '../../src/core/evaluate/pattern.ts';
import { createClientInNode } from '../kit/client-in-node.ts';
import { type Decide, FLAGS, PEOPLE, type PerShape, type Shape } from './evaluate-shapes.ts';

export async function prepareCore(): Promise<PerShape<Decide>> {
  const byKey = new Map(Object.values(FLAGS).map((flag) => [flag.key, flag]));
  const byID = new Map(Object.values(FLAGS).map((flag) => [flag.id, flag]));
  const flags: FlagLookup = { compilePattern, byKey: (key) => byKey.get(key), byID: (id) => byID.get(id) };
  return perShape((flagKey) => (index) => {
    const { id, context } = PEOPLE[index] as (typeof PEOPLE)[number];
    return evaluate(flags, { flagKey, entityID: id, entityContext: context }).variantKey;
  });
}

/** Closed once the flags are there: reads go on, and nothing else runs in this process. */
export async function prepareClient(serverUrl: string): Promise<PerShape<Decide>> {
  const client = createClientInNode({ url: serverUrl });
  await client.ready({ timeoutMs: 15_000 });
  await client.close();
  return perShape((flagKey) => (index) => {
    const { id, context } = PEOPLE[index] as (typeof PEOPLE)[number];
    return client.evaluateNow({ flagKey, entityID: id, entityContext: context }).variantKey;
  });
}

function perShape(decider: (flagKey: string) => Decide): PerShape<Decide> {
  const entries = Object.entries(FLAGS).map(([shape, { key }]) => [shape, decider(key)]);
  return Object.fromEntries(entries) as Record<Shape, Decide>;
}
