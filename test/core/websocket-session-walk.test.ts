/** Random walks of one session: subscriptions come, change and go while flags are edited and the client is slow, against the source. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FlagFilter, matchesFilter } from '../../src/core/model.ts';
import { encodeEventId } from '../../src/core/protocol/event-id.ts';
import { encodeClientFrame } from '../../src/core/protocol/websocket-client-frame.ts';
import { decodeServerFrame } from '../../src/core/protocol/websocket-server-frame.ts';
import { unionOfFilters } from '../../src/core/state/filter.ts';
import { type Held, reduce } from '../../src/core/state/reduce.ts';
import { createFlag, setArchived, setEnabled, updateFlag } from '../../src/server/edits/flags.ts';
import { addTag, removeTag } from '../../src/server/edits/variants-and-tags.ts';
import { evaluateAsServer } from '../../src/server/evaluate-flags.ts';
import { createFanOut } from '../../src/server/fan-out.ts';
import { snapshotOf } from '../../src/server/filtered.ts';
import { type FlagSource, openSqliteSource } from '../../src/server/index.ts';
import { createSession } from '../../src/server/websocket-session.ts';
import { textsIn } from '../kit/text-frames.ts';

const FILTERS: readonly (FlagFilter | undefined)[] = [
  undefined,
  { flagKeys: ['flag-1'] },
  { flagIDs: [2, 3] },
  { tags: ['web'] },
];

const arbStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      what: fc.nat(5),
      flagID: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      id: fc.constantFrom('one', 'two', 'three'),
      filter: fc.nat(FILTERS.length - 1),
      isResume: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('unsubscribe' as const),
      id: fc.constantFrom('one', 'two', 'three'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('stall' as const, 'drain' as const) }),
  },
);

type Step = typeof arbStep extends fc.Arbitrary<infer S> ? S : never;

const newFlag = (key: string) =>
  createFlag(
    { key, description: '', isSimpleBoolean: true, dependsOn: [], environmentId: null, projectId: null },
    '',
  );

function anyEdit(source: FlagSource, what: number, flagID: number): Promise<unknown> {
  switch (what) {
    case 0:
      return source.edit(newFlag(`flag-${source.catalogue.lastIDs.flag + 1}`));
    case 1:
      return source.edit(setArchived(flagID, source.revision % 2 === 0));
    case 2:
      return source.edit(setEnabled([flagID], source.revision % 3 === 0));
    case 3:
      return source.edit(addTag(flagID, 'web'));
    case 4:
      return source.edit(removeTag(flagID, 1));
    default:
      return source.edit(updateFlag(flagID, { description: `at ${source.revision}` }));
  }
}

async function walk(steps: readonly Step[], keptChanges: number): Promise<void> {
  const source = openSqliteSource({ file: ':memory:', keptChanges });
  const fanOut = createFanOut({
    source,
    keepAliveIntervalMs: 60_000,
    maxQueuedBytes: 1_000_000,
    drainSpreadMs: 0,
    nowMs: () => 0,
  });
  const subscriptions = new Map<string, FlagFilter | undefined>();
  let held: Held | undefined;
  let isFull = false;

  const hear = (text: string): void => {
    const decoded = decodeServerFrame(text);
    if (!decoded.ok) throw decoded.error;
    if (decoded.value.kind !== 'message') return;
    const reduced = reduce(held, decoded.value.message, true);
    expect(reduced.need).toBeUndefined();
    held = reduced.held;
  };
  const session = createSession(
    {
      get isFull() {
        return isFull;
      },
      send: hear,
      refuse: () => expect.fail('refused'),
      sink: {
        write: (bytes) => textsIn(bytes).forEach(hear),
        queuedBytes: 0,
        end: () => {},
        destroy: () => expect.fail('destroyed'),
      },
    },
    {
      fanOut,
      evaluate: (question) => evaluateAsServer(source, question),
      maxSubscriptions: 3,
      report: (error) => expect.fail(String(error)),
      onStream: () => {},
    },
  );

  for (const key of ['flag-1', 'flag-2', 'flag-3']) await source.edit(newFlag(key));
  for (const step of steps) {
    switch (step.do) {
      case 'edit':
        // Edits of flags that are not there, or deleted.
        await anyEdit(source, step.what, step.flagID).catch((error) => expect(error.name).toBe('FlagError'));
        break;
      case 'stall':
        isFull = true;
        break;
      case 'drain':
        isFull = false;
        session.drained();
        break;
      case 'unsubscribe':
        subscriptions.delete(step.id);
        session.receive(encodeClientFrame({ kind: 'unsubscribe', id: step.id }));
        break;
      case 'subscribe': {
        const { id } = step;
        const filter = FILTERS[step.filter];
        const before = [...subscriptions.values()];
        subscriptions.set(id, filter);
        // Who goes on with what is held must hold all that is now subscribed to.
        const isHeld = before.length === 1 && before[0] === filter && subscriptions.size === 1 && !isFull;
        const after = step.isResume && isHeld ? held : undefined;
        session.receive(encodeClientFrame({ kind: 'subscribe', id, filter, after }));
      }
    }
  }
  isFull = false;
  session.drained();
  const filters = [...subscriptions.values()];
  if (filters.length > 0) {
    const union = filters.reduce(unionOfFilters);
    const mine = [...(held?.flags.values() ?? [])].filter((flag) => matchesFilter(union, flag));
    expect(mine.toSorted((a, b) => a.id - b.id)).toEqual(snapshotOf(source, union).flags);
    expect(held && encodeEventId(held).split('.')[0]).toBe(source.epoch);
  }
  expect(fanOut.streams).toBe(filters.length === 0 ? 0 : 1);
  session.end();
  fanOut.drain('done');
  await source.close();
}

test('whatever a client subscribes to and however slow it is, it ends with the flags of the server', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbStep, { maxLength: 40, size: 'max' }), fc.integer({ min: 0, max: 8 }), walk),
    { numRuns: 200 },
  );
});
