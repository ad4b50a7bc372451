/** Every row of what Flagent 0.1.7 decides, through the public client in a page that follows a running server. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from '../kit/browser.ts';
import { startClientSite } from '../kit/client-site.ts';
import { type ClientTab, openClientTab } from '../kit/client-tab.ts';
import { engine } from '../kit/engine-under-test.ts';
import { clientDecider } from '../kit/evaluation-client.ts';
import type { Decider } from '../kit/evaluation-decider.ts';
import { bucketTable, countRows } from '../kit/evaluation-rollouts.ts';
import { type EvaluationServer, startEvaluationServer } from '../kit/evaluation-server.ts';
import { decidesAsFlagent } from '../kit/evaluation-suite.ts';
import type { StaticSite } from '../kit/static-site.ts';

let browser: Browser;
let site: StaticSite;
let server: EvaluationServer;
let tab: ClientTab;
let decider: Decider;

beforeAll(async () => {
  [browser, site, server] = await Promise.all([engine.launch(), startClientSite(), startEvaluationServer()]);
  tab = await openClientTab(browser, site.url, { url: server.url });
  decider = clientDecider(tab, server);
});

afterAll(() => Promise.all([browser.close(), site.stop(), server.close()]));

decidesAsFlagent(() => decider, {
  'flagr/tags-all': 'the filter of a client means any of its tags; all of them can be asked for over REST',
  'flagr/tags-all-mixed': 'as above',
  'flagent/service-no-entity':
    'the server makes up an entity id by chance; a tab would make up another at each read, and answers ENTITY_ID_MISSING',
});

test('without an entity id there is no variant, and the reason says so', async () => {
  const { flags } = bucketTable();
  const [answer] = await decider.decide(flags, [{ flagKey: 'salt_1' }]);
  expect(answer).toMatchObject({ flagID: 1, variantID: null, reason: 'ENTITY_ID_MISSING' });
});

test('a batch answers as its single requests would, flag by flag', async () => {
  const { flags, requests } = bucketTable();
  const keys = flags.map(({ key }) => key);
  const entityIDs = [...new Set(requests.map(({ entityID }) => entityID ?? ''))];
  await tab.reaches(await server.hold(flags));
  const outcome = await tab.evaluate(
    async (asked) => {
      const entities = asked.entityIDs.map((entityID) => ({ entityID }));
      const batch = await window.flags.evaluateBatch({ flagKeys: asked.keys, entities, enableDebug: true });
      const singles = asked.requests.map((request) => window.flags.evaluateNow(request));
      return { count: batch.length, isSame: JSON.stringify(batch) === JSON.stringify(singles) };
    },
    { keys, entityIDs, requests },
  );
  expect(outcome).toEqual({ count: 7 * 1007, isSame: true });
});

test('100 000 entities are spread as Flagent spreads them, in all 18 rows', async () => {
  const rows = countRows();
  expect(rows).toHaveLength(18);
  for (const { name, flag, entities, counts } of rows) {
    await tab.reaches(await server.hold([flag]));
    const found = await tab.evaluate((count: number) => {
      const byVariant: Record<string, number> = {};
      for (let entity = 0; entity < count; entity += 1) {
        const { variantID } = window.flags.evaluateNow({ flagKey: 'f', entityID: String(entity) });
        const variant = String(variantID ?? 'none');
        byVariant[variant] = (byVariant[variant] ?? 0) + 1;
      }
      return byVariant;
    }, entities);
    expect(found, name).toEqual(counts);
  }
});
