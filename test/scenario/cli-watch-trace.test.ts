/** What `watch` says about its connection, and `watch --trace` as a process against a server that misbehaves by script. */
import { expect, onTestFinished, test } from 'vitest';
import { connectionLine, traceJson, traceLine } from '../../src/cli/connection-lines.ts';
import type { ConnectionStatus } from '../../src/core/state/status.ts';
import {
  answers,
  buildFlag,
  changeEvent,
  snapshotEvent,
  startScriptedServer,
} from '../../src/testing/index.ts';
import { startCli } from './cli-kit.ts';

const AT_MS = Date.parse('2026-03-05T10:00:00.000Z');

test.each<[ConnectionStatus, string | undefined]>([
  [{ is: 'connecting', attempt: 1 }, 'connecting to http://server'],
  [{ is: 'live', sinceMs: 0 }, 'live'],
  [
    { is: 'waiting', retryAtMs: AT_MS + 2_340, attempt: 2, reason: 'cut\noff' },
    'not connected: cut off; next attempt in 2.3 s',
  ],
  [{ is: 'polling', nextPollAtMs: AT_MS - 5, reason: 'cut' }, 'polling: cut; next poll in 0.0 s'],
  [{ is: 'stopped', reason: 'gave up' }, 'stopped: gave up'],
  [{ is: 'paused', reasons: ['starting'] }, undefined],
])('says of %o: %s', (status, words) => {
  expect(connectionLine(status, 'http://server', AT_MS)).toBe(words);
});

test('a trace line gives the reason first, times in seconds, and cannot move the cursor', () => {
  const facts = {
    reason: 'the server\nanswers 503',
    event: 'ended',
    retryAfterMs: 7_000,
    contentType: 'a\u001b[2J',
    silentMs: undefined,
    isDoubted: true,
  };
  expect(traceLine({ atMs: AT_MS, by: 'connection', what: 'waiting', facts })).toBe(
    '2026-03-05T10:00:00.000Z  connection  waiting: the server answers 503 (event ended, retry after 7.0 s, content type "a\\u001b[2J", is doubted true)',
  );
  expect(traceLine({ atMs: AT_MS, by: 'connection', what: 'live' })).toBe(
    '2026-03-05T10:00:00.000Z  connection  live',
  );
});

test('a trace entry as JSON stays data', () => {
  const entry = { atMs: AT_MS + 0.4, by: 'stream', what: 'bytes', facts: { silentMs: 15_000 } };
  expect(JSON.parse(traceJson(entry))).toEqual({
    type: 'TRACE',
    timestampMs: AT_MS,
    by: 'stream',
    what: 'bytes',
    facts: { silentMs: 15_000 },
  });
});

const flag = buildFlag('a');

/** Refuses once, then leaves a change out, then is good. */
async function startMoody(): Promise<string> {
  const server = await startScriptedServer([
    answers.status(503, { 'retry-after': '0' }),
    answers.stream([snapshotEvent(3, [flag]), changeEvent(5, flag)]),
    answers.stream([snapshotEvent(5, [flag])]),
  ]);
  onTestFinished(() => server.close());
  return server.url;
}

test('watch --trace tells people what happens and why, beside the changes', async () => {
  const watch = startCli(['watch', '--trace', '--url', await startMoody()]);
  const said = [
    await watch.nextError(/ {2}stream {2}ended \(how refused, status 503/),
    await watch.nextError(/ {2}connection {2}waiting: the server answers 503 \(.*next in \d\.\d s\)/),
    await watch.nextError(/ {2}connection {2}live/),
    await watch.nextError(/ {2}flags {2}resync: a change is missing \(held 3\)/),
    await watch.nextError(/ {2}connection {2}waiting: a change is missing, starting over/),
  ];
  for (const line of said) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}/);
  expect(await watch.nextLine()).toMatch(/3 {2}snapshot: 1 flag/);
  expect(await watch.nextLine()).toMatch(/5 {2}snapshot: 1 flag/);
  watch.kill('SIGINT');
  expect(await watch.exit).toBe(0);
});

test('watch --trace --json tells programs, in order with the changes', async () => {
  const watch = startCli(['watch', '--trace', '--json', '--url', await startMoody()]);
  const heard: string[] = [];
  while (heard.at(-1) !== 'SNAPSHOT 5') {
    const { type, by, what, revision } = JSON.parse(await watch.nextLine());
    heard.push(type === 'TRACE' ? `${by} ${what}` : `${type} ${revision}`);
  }
  const places = ['connection waiting', 'connection live', 'SNAPSHOT 3', 'flags resync', 'SNAPSHOT 5'].map(
    (words) => heard.indexOf(words),
  );
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(watch.unread.stderr).toEqual([]);
});
