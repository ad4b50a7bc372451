/** What the tests of the two evaluation endpoints share. */
import { expect } from 'vitest';
import type { Flag } from '../../src/core/model.ts';
import type { EvaluationJson } from '../kit/evaluation-rest.ts';
import { flagWith } from '../kit/evaluation-vectors.ts';
import { type OpenServer, openServer, type RestAnswer } from './server-kit.ts';

export function tagged(...values: readonly string[]): readonly { id: number; value: string }[] {
  return values.map((value, index) => ({ id: index + 1, value }));
}

/** On for adults, with an attachment. */
export const CHECKOUT: Flag = flagWith([{ id: 1, property: 'age', operator: 'GTE', value: '18' }], {
  id: 7,
  key: 'checkout',
  entityType: 'user',
  variants: [{ id: 10, key: 'on', attachment: { colour: 'green' } }],
  tags: tagged('web', 'shop'),
});

export async function serverWith(...flags: readonly Flag[]): Promise<OpenServer> {
  const open = await openServer();
  expect((await open.rest('POST', '/import', { flags })).status).toBe(200);
  return open;
}

/** The answer to a single request, taken for what it should be. */
export function evaluation({ json }: RestAnswer): EvaluationJson {
  return json as EvaluationJson;
}

/** The answers to a batch. */
export function evaluations({ json }: RestAnswer): readonly EvaluationJson[] {
  return (json as { readonly evaluationResults: readonly EvaluationJson[] }).evaluationResults;
}
