/** What makes clients like this one fail in browsers, and why it does not happen here: a test that shows it, or a sentence. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

type Trap = readonly [trap: string, answer: { readonly file: string; readonly title: string } | string];

const proof = (file: string, title: string) => ({ file: `test/${file}`, title });

const TRAPS: readonly Trap[] = [
  [
    'no engine fires `close` on a port',
    proof(
      'browser/scenario-death.test.ts',
      'a tab that crashes while another streams is not counted for long',
    ),
  ],
  [
    'one dead tab stalls a loop that awaits them all',
    proof('scenario/hub.test.ts', 'a busy tab delays nobody'),
  ],
  [
    'a leader in the back/forward cache keeps its lock',
    proof('browser/scenario-back-forward.test.ts', 'the tab that streams is left by a link'),
  ],
  [
    'WebKit takes the lock from a cached page',
    proof('scenario/hub-peers.test.ts', 'a leader whose browser takes the lock away'),
  ],
  [
    'a service worker that answers the stream ends it after 30 s',
    proof(
      'browser/service-worker.test.ts',
      'a new version takes over at once with two tabs and their streams open',
    ),
  ],
  [
    'a cut looks like a normal end',
    proof('browser/scenario-network.test.ts', 'one new stream sends only what was missed'),
  ],
  [
    'heartbeats call suspended tabs dead',
    'There is no heartbeat between tab and hub: a Web Lock tells of death, and a suspended tab says so itself.',
  ],
  [
    'a hashed worker file means two writers after a deploy',
    proof('browser/scenario-builds.test.ts', 'two builds, tabs opened in the order'),
  ],
  [
    'the same worker file means old code after a deploy',
    proof('scenario/hub-peers.test.ts', 'the newest protocol leads'),
  ],
  [
    'the worker type or lifetime differs between two pages',
    'Both are constant: the literal in src/page/built-in-worker.ts has a name and no other option.',
  ],
  [
    'a worker from a blob or data URL is not shared',
    'The worker is a file of its own, and `worker` takes a URL or a worker, not a source.',
  ],
  [
    'a worker from another origin is refused',
    proof(
      'browser/client.test.ts',
      'where only a worker is wanted, one that cannot be loaded is said in the status',
    ),
  ],
  [
    'a bundler moves the client away from its worker',
    proof('browser/package.test.ts', 'two tabs of a vite %s server share one worker and one stream'),
  ],
  [
    'an `await` before `onconnect` loses the first tab',
    'src/shared-worker/index.ts sets it in its first task; the build is one classic script that can hold no top-level await.',
  ],
  [
    'state in the worker alone is lost at each navigation',
    proof('browser/scenario-tabs.test.ts', 'a tab that navigates through a site keeps its flags'),
  ],
  [
    'a message to a cached page evicts it',
    proof(
      'scenario/hub.test.ts',
      'a suspended tab keeps the stream no longer than a closed one, gets nothing',
    ),
  ],
  [
    'a stream goes on while all tabs sleep',
    proof('scenario/hub.test.ts', 'a suspended tab keeps the stream no longer than a closed one'),
  ],
  [
    'one record per flag is slow',
    'All flags are one JSON text; see src/storage/records.ts, and the bench row for 10 000 flags.',
  ],
  [
    'an upgrade in place while old tabs are open',
    'The format is part of the name of the database, which is never upgraded.',
  ],
  [
    'a lost database connection is not opened again',
    proof('contract/store-fault-cases.ts', 'a lost connection is opened anew, and nobody notices'),
  ],
  [
    'an await between a transaction and its first request',
    'src/storage/transaction.ts issues every request before it waits for one.',
  ],
  [
    'the browser deletes what is stored',
    proof('browser/scenario-lesser.test.ts', 'the database is deleted under the running hub'),
  ],
  [
    'a fixed retry interval brings all clients back at once',
    proof(
      'core/connection-backoff.test.ts',
      'against a server that is down, 10 000 browsers make at most 6 attempts',
    ),
  ],
  [
    'Retry-After is ignored',
    proof(
      'scenario/faults.test.ts',
      'a server that is overloaded is left alone for its Retry-After and a little more',
    ),
  ],
  ['204 and 403 are retried for ever', proof('scenario/faults.test.ts', '204 stops the connection for good')],
  [
    'compression without a flush holds events back',
    proof('scenario/faults.test.ts', 'gzip that nobody flushes is a silent stream'),
  ],
  [
    'a stream library that needs a document',
    'The stream is read with `fetch` and eventsource-parser, in pages, workers and Node alike.',
  ],
  ['credentials that are ignored in workers', 'The token travels in a header that the client sets itself.'],
  [
    'events that only carry an id are lost',
    proof(
      'core/transport-sse-reader.test.ts',
      'gives an event its own id only, and tells the inherited one apart',
    ),
  ],
  [
    '`offline` ends a stream that still works',
    proof('browser/scenario-tabs.test.ts', '`offline` cuts nothing'),
  ],
  [
    'a worker does not notice that the machine slept',
    proof('scenario/connection-runner.test.ts', 'after a sleep a stream begins anew'),
  ],
  [
    'a message to a service worker is awaited without end',
    proof('core/register-service-worker.test.ts', "toBe('timed-out')"),
  ],
  [
    'errors in the worker are seen by nobody',
    "Outcomes cross to the tab as data, and `debug()` gives the hub's trace to any tab.",
  ],
  [
    'localStorage is missing in workers',
    'The hub keeps nothing there; the page only notes a hanging worker in sessionStorage, and lives without.',
  ],
  [
    'a stolen lock whose old holder goes on',
    proof('scenario/hub-peers.test.ts', 'a leader that hangs is replaced'),
  ],
  [
    'an older state from a cache is taken for new',
    proof('scenario/hub.test.ts', 'a server that is behind what is held is left'),
  ],
  [
    'one stream per tab blocks the seventh tab',
    proof('browser/scenario-tabs.test.ts', 'ten tabs share one stream'),
  ],
  [
    'browsers are told apart by their names',
    'Nothing reads the user agent; a worker is tried, and a deadline decides.',
  ],
  [
    'worker traffic that a test tool does not see is mocked',
    'Tests use real servers, and a proxy that breaks real connections.',
  ],
];

test.each(TRAPS)('%s', (_trap, answer) => {
  if (typeof answer === 'string') return expect(answer).toMatch(/\.$/);
  const path = resolve(import.meta.dirname, '..', answer.file);
  expect(existsSync(path), answer.file).toBe(true);
  expect(readFileSync(path, 'utf8')).toContain(answer.title);
});

test('no trap is named twice', () => {
  expect(new Set(TRAPS.map(([trap]) => trap)).size).toBe(TRAPS.length);
});

test('nothing in src reads the user agent or localStorage', async () => {
  const { globSync } = await import('node:fs');
  const files = globSync('src/**/*.ts', { cwd: resolve(import.meta.dirname, '..') });
  const offenders = files.filter((file) =>
    /userAgent|localStorage/.test(readFileSync(resolve(import.meta.dirname, '..', file), 'utf8')),
  );
  expect(files.length).toBeGreaterThan(50);
  expect(offenders).toEqual([]);
});
