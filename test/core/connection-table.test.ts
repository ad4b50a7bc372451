/** Every state × every event, named: what follows at a moment when nothing is due yet. Complete by type, like the machine's own table. */
import { expect, test } from 'vitest';
import { nextConnection } from '../../src/core/connection/machine.ts';
import { DEFAULT_POLICY } from '../../src/core/connection/policy.ts';
import type { ConnectionEvent, ConnectionState } from '../../src/core/connection/states.ts';
import {
  alive,
  asked,
  attach,
  closed,
  commandText,
  detach,
  doubted,
  due,
  opened,
  pollCurrent,
  probed,
  quiet,
  refused,
  run,
  woken,
} from './connection-kit.ts';

const EVENTS: Record<ConnectionEvent['type'], ConnectionEvent> = {
  opened,
  alive,
  quiet,
  ended: closed,
  'retry-hint': { type: 'retry-hint', delayMs: 5_000 },
  bye: { type: 'bye', delayMs: 5_000 },
  due,
  woken,
  doubted,
  asked,
  polled: pollCurrent,
  probed: probed({ ended: 'refused', status: 503, retryAfterMs: undefined }),
  pause: detach,
  unpause: attach,
  stop: { type: 'stop', reason: 'closed' },
};

const paused = run([]).state;
const connecting = run([[0, attach]]).state;
const live = run([[0, opened]], { from: connecting }).state;
const waiting = run([[0, refused(500)]], { from: connecting }).state;
const asking = run([[0, refused(404)]], { from: connecting }).state;
const polling = run([[0, pollCurrent]], { from: asking }).state;
const stopped = run([[0, refused(204)]], { from: connecting }).state;

/** `-` nothing changes, `~` the state remembers something. */
type Outcome = '-' | '~' | `${'~' | ConnectionState['is']}${string}`;
type Row = Record<ConnectionEvent['type'], Outcome>;

const COMMON = {
  opened: '-',
  alive: '-',
  quiet: '-',
  ended: '-',
  'retry-hint': '~',
  bye: '-',
  due: '-',
  woken: '-',
  doubted: '-',
  asked: '-',
  polled: '-',
  probed: '-',
  pause: 'paused',
  unpause: '-',
  stop: 'stopped',
} as const satisfies Row;

const STREAMING = {
  ...COMMON,
  ended: 'waiting',
  bye: '~',
  doubted: '~',
  pause: 'paused >close',
  stop: 'stopped >close',
} as const satisfies Row;

const TABLE: Record<string, { readonly from: ConnectionState; readonly row: Row }> = {
  paused: { from: paused, row: { ...COMMON, pause: '-', unpause: 'connecting >open' } },
  connecting: { from: connecting, row: { ...STREAMING, opened: 'live', bye: '-' } },
  live: { from: live, row: { ...STREAMING, alive: '~', quiet: '~' } },
  'live, doubted': {
    from: run([[0, doubted]], { from: live }).state,
    row: { ...STREAMING, alive: '~', quiet: '~', doubted: '-', woken: 'connecting >close >open' },
  },
  'live and quiet, probed': {
    from: run(
      [
        [0, quiet],
        [0, { type: 'doubted', why: 'offline' }],
        [0, alive],
        [40_000, due],
      ],
      { from: live },
    ).state,
    row: { ...STREAMING, alive: '~', probed: 'waiting >close' },
  },
  waiting: { from: waiting, row: { ...COMMON, woken: '~', asked: 'connecting >open' } },
  polling: {
    from: polling,
    row: { ...COMMON, woken: '~', doubted: '~', asked: 'connecting >open' },
  },
  'polling, asked': {
    from: asking,
    row: {
      ...COMMON,
      alive: '~',
      doubted: '~',
      polled: '~',
      asked: 'connecting >close >open',
      pause: 'paused >close',
      stop: 'stopped >close',
    },
  },
  stopped: {
    from: stopped,
    row: { ...COMMON, 'retry-hint': '-', asked: 'connecting >open', stop: '-' },
  },
};

const cells = Object.entries(TABLE).flatMap(([name, { from, row }]) =>
  Object.entries(row).map(([type, outcome]) => ({
    name,
    from,
    type: type as ConnectionEvent['type'],
    outcome,
  })),
);

test.each(cells)('$name × $type → $outcome', ({ from, type, outcome }) => {
  const next = nextConnection(from, EVENTS[type], { nowMs: 10, random: 0.5, policy: DEFAULT_POLICY });
  const state = next.state === from ? '-' : next.state.is === from.is ? '~' : next.state.is;
  const commands = next.commands.map((command) => ` >${commandText(command)}`).join('');
  expect(state + commands).toBe(outcome);
});
