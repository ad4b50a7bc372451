/** The page client without a browser: `link-tab`, which reaches the hub, is played by the test. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Flag } from '../../src/core/model.ts';
import { createFlagClient } from '../../src/page/create-flag-client.ts';
import { firstStatus } from '../../src/page/first-status.ts';
import type { FlagClient, FlagClientOptions } from '../../src/page/flag-client.ts';
import type { TabLink, UnlinkedTab } from '../../src/page/link-tab.ts';
import { buildFlag } from '../kit/flags.ts';

const linked: UnlinkedTab[] = [];
const link: TabLink = {
  status: () => firstStatus({ is: 'live', sinceMs: 1 }),
  refresh: async () => {},
  forget: async () => {},
  debug: async () => ({}) as never,
  close: async () => {},
};

vi.mock('../../src/page/link-tab.ts', () => ({
  linkTab: (tab: UnlinkedTab) => {
    linked.push(tab);
    return link;
  },
}));

/** What became of the built-in worker, in order. */
let worker: string[];

beforeEach(() => {
  linked.length = 0;
  worker = [];
  vi.stubGlobal(
    'SharedWorker',
    class {
      readonly port = { close: () => worker.push('port closed') };
      constructor(url: URL, { name }: { name: string }) {
        worker.push(`${url.pathname.split('/').at(-1)} started as ${name}`);
      }
    },
  );
});

afterEach(() => vi.unstubAllGlobals());

const open = (options: Partial<FlagClientOptions> = {}): FlagClient =>
  createFlagClient({ url: 'https://flags.example.com', ...options });

/** A client that holds the flags. */
async function openWith(
  flags: readonly Flag[],
  options: Partial<FlagClientOptions> = {},
): Promise<FlagClient> {
  const client = open(options);
  const tab = await vi.waitUntil(() => linked[0]);
  tab.shown.show({ epoch: 'e', revision: 1 }, new Map(flags.map((flag) => [flag.key, flag])));
  tab.moments.notify();
  return client;
}

const GERMANS_ONLY = buildFlag('greeting', {
  id: 7,
  enabled: true,
  entityType: 'of the flag',
  segments: [
    {
      ...{ id: 1, description: '', rank: 0, rolloutPercent: 100 },
      constraints: [{ id: 1, property: 'country', operator: 'EQ', value: 'DE' }],
      distributions: [{ id: 1, variantID: 1, variantKey: 'hallo', percent: 100 }],
    },
  ],
  variants: [{ id: 1, key: 'hallo', attachment: null }],
});

const SOMEBODY = { entityID: 'somebody', entityType: 'user', entityContext: { country: 'DE' } };

test('the default entity stands in for what a request leaves out, also when it says undefined, and for nothing else', async () => {
  const client = await openWith([GERMANS_ONLY], { entity: SOMEBODY });
  const ask = (request: object) => {
    const { entityID, entityType, reason } = client.evaluateNow({ flagKey: 'greeting', ...request });
    return `${entityID}, ${entityType}: ${reason}`;
  };
  expect(ask({})).toBe('somebody, user: MATCH');
  expect(ask({ entityID: undefined, entityType: undefined, entityContext: undefined })).toBe(
    'somebody, user: MATCH',
  );
  expect(ask({ entityID: 'me' })).toBe('me, user: MATCH');
  expect(ask({ entityID: '' })).toBe(', user: ENTITY_ID_MISSING');
  expect(ask({ entityContext: {} })).toBe('somebody, user: NO_MATCH');
  expect(ask({ entityType: 'admin' })).toBe('somebody, admin: MATCH');
});

test('without a default entity a request stands for itself', async () => {
  const client = await openWith([GERMANS_ONLY]);
  expect(
    client.evaluateNow({ flagKey: 'greeting', entityID: 'me', entityContext: { country: 'DE' } }),
  ).toMatchObject({
    ...{ entityID: 'me', entityType: 'of the flag', reason: 'MATCH' },
  });
  expect(client.evaluateNow({ flagID: 7 })).toMatchObject({
    flagKey: 'greeting',
    entityID: '',
    reason: 'ENTITY_ID_MISSING',
  });
});

test('a flag is found by its id in the newest flags', async () => {
  const client = await openWith([GERMANS_ONLY]);
  const before = client.evaluateNow({ flagID: 7 }).flagKey;
  linked[0]?.shown.show(
    { epoch: 'e', revision: 2 },
    new Map([['renamed', { ...GERMANS_ONLY, key: 'renamed' }]]),
  );
  expect([before, client.evaluateNow({ flagID: 7 }).flagKey]).toEqual(['greeting', 'renamed']);
});

test('a batch is its single evaluations, flag by flag, with the steps when they are asked for', async () => {
  const client = await openWith([GERMANS_ONLY], { entity: SOMEBODY });
  const entities = [{}, { entityID: 'me' }, { entityContext: { country: 'US' } }];
  const flagKeys = ['greeting', 'missing'];
  for (const enableDebug of [false, true]) {
    expect(await client.evaluateBatch({ flagKeys, entities, enableDebug })).toEqual(
      flagKeys.flatMap((flagKey) =>
        entities.map((one) => client.evaluateNow({ ...one, flagKey, enableDebug })),
      ),
    );
  }
  expect((await client.evaluateBatch({ flagKeys, entities, enableDebug: true }))[0]?.steps).toHaveLength(1);
  expect(await client.isEnabled('greeting')).toBe(true);
  expect(await client.isEnabled('missing')).toBe(false);
});

test('options are those of the call, whatever becomes of the object later', async () => {
  const options = { url: 'https://flags.example.com', namespace: 'before' };
  createFlagClient(options);
  options.namespace = 'after';
  const tab = await vi.waitUntil(() => linked[0]);
  expect(tab.options.namespace).toBe('before');
});

test.each<[string, Partial<FlagClientOptions>, string[]]>([
  ['by itself', {}, ['shared-worker.js started as flagent-offline']],
  ['a SharedWorker', { host: 'shared-worker' }, ['shared-worker.js started as flagent-offline']],
  ['a hub in the tab', { host: 'tab' }, []],
  ['a worker of its own', { worker: { url: '/mine.js' } }, []],
])('the built-in worker is started with the client when it is wanted: %s', (_, options, expected) => {
  open(options);
  expect(worker).toEqual(expected);
});

test('a browser that cannot start the worker makes no difference to the client', async () => {
  vi.stubGlobal('SharedWorker', undefined);
  await openWith([GERMANS_ONLY]);
  expect(linked[0]?.earlyWorker).toBeUndefined();
});

test('a client that is closed at once lets the worker go, is linked to nothing, and says so to who waits', async () => {
  const client = open();
  const waiting = [client.ready(), client.refresh(), client.debug()].map((call) =>
    call.catch(({ code }) => code),
  );
  await client.close();
  expect(await Promise.all(waiting)).toEqual(['closed', 'closed', 'closed']);
  await vi.waitUntil(() => worker.length === 2);
  expect([worker[1], linked]).toEqual(['port closed', []]);
  expect(client.status.connection).toEqual({ is: 'stopped', reason: 'closed' });
  expect(await client.getFlag('greeting')).toBeUndefined();
});

test.each([undefined, null, 7, {}, { keys: ['a'] }, { flagKeys: undefined }])(
  'a selector %j is refused at once',
  (selector) => {
    expect(() => open().subscribe(selector as never, () => {})).toThrow(
      expect.objectContaining({
        code: 'invalid_option',
        message: expect.stringMatching(/^A selector is a flag key/),
      }),
    );
  },
);

test('a listener that is none is refused at once', () => {
  const client = open();
  for (const subscribe of [
    () => client.subscribe('a', undefined as never),
    () => client.subscribeAll({} as never),
    () => client.onStatus(7 as never),
  ])
    expect(subscribe).toThrow(/^A listener must be a function/);
});
