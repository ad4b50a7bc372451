/** One suite for whoever decides: every row that Flagent 0.1.7 was asked, answered the same. */
import { expect, test } from 'vitest';
import { bucketIn, type Decider } from './evaluation-decider.ts';
import { bucketTable, variantTables } from './evaluation-rollouts.ts';
import { playRow } from './evaluation-rows.ts';
import { flagWith, generatedSets, literalRows, matrixRows } from './evaluation-vectors.ts';

/**
 * Defines the tests. `differing` are the literal rows, by id, that this decider answers otherwise on purpose, each with the reason; they
 * are not played. The decider is asked for when the first test runs.
 */
export function decidesAsFlagent(
  getDecider: () => Decider,
  differing: Readonly<Record<string, string>> = {},
): void {
  const same = literalRows.filter(({ id }) => !(id in differing));

  test.each(same)('decides as in $id', (row) => playRow(row, getDecider()));

  test('all rows are there, and each row that differs on purpose is one of them', () => {
    expect(same).toHaveLength(58 - Object.keys(differing).length);
    expect(matrixRows).toHaveLength(197);
    expect(generatedSets().flatMap(({ cases }) => cases)).toHaveLength(600);
    expect(bucketTable().expected).toHaveLength(1007 * 7);
    expect(variantTables().flatMap(({ expected }) => expected)).toHaveLength(6 * 10 * 498);
  });

  test('every operator answers as Flagent does for every pair of values', async () => {
    const flags = matrixRows.map(({ operator, value }, index) =>
      flagWith([{ property: 'p', operator, value }], { id: index + 1, key: `row_${index}` }),
    );
    const requests = matrixRows.map(({ contextValue }, index) => ({
      flagKey: `row_${index}`,
      entityID: 'user',
      entityContext: contextValue === undefined ? {} : { p: contextValue },
    }));
    const answers = await getDecider().decide(flags, requests);
    const wrong = matrixRows.filter(({ match }, index) => (answers[index]?.reason === 'MATCH') !== match);
    expect(wrong).toEqual([]);
    expect(answers).toHaveLength(matrixRows.length);
  });

  test('600 random evaluations come out as in Flagent', async () => {
    for (const { flags, cases } of generatedSets()) {
      const requests = cases.map(({ request }) => request);
      const answers = await getDecider().decide(flags, requests);
      const found = answers.map(({ variantID, segmentID, reason }) => ({ variantID, segmentID, reason }));
      expect(found).toEqual(cases.map((one) => one.expect));
    }
  });

  test('every entity falls into the bucket that Flagent gives it', async () => {
    const { flags, requests, expected } = bucketTable();
    const answers = await getDecider().decide(flags, requests);
    expect(answers.map(bucketIn)).toEqual(expected);
  });

  test('every entity gets the variant that Flagent gives it, at every percentage', async () => {
    for (const { name, flags, requests, expected } of variantTables()) {
      const answers = await getDecider().decide(flags, requests);
      expect(
        answers.map(({ variantID }) => variantID),
        name,
      ).toEqual(expected);
    }
  });
}
