/**
 * The real flag server as a process that can be killed, with quick heartbeats, telling its parent when streams open and for how long more
 * than one was open. Arguments: database file, port.
 */
import { createServer } from 'node:http';
import { performance } from 'node:perf_hooks';
import { createFlagentServer } from '../../src/server/server.ts';
import { STREAM_PATH } from '../../src/server/sse-endpoint.ts';
import type { ServerNews } from './real-chaos-server.ts';

const HEARTBEAT_MS = 500;
const TICK_MS = 10;
/** A process that was not given a core for longer could not have learned of a close, so that time does not count. */
const LONGEST_TICK_MS = 20;

const [database = ':memory:', port = '0'] = process.argv.slice(2);
const tell = (news: ServerNews): void => void process.send?.(news);

const flags = createFlagentServer({
  database,
  allowOrigins: ['*'],
  keepAliveIntervalMs: HEARTBEAT_MS,
  drainSpreadMs: HEARTBEAT_MS,
});
let streams = 0;
const http = createServer({ noDelay: true }, (request, response) => {
  if (request.method === 'GET' && request.url?.startsWith(STREAM_PATH)) {
    streams += 1;
    tell({ streamOpenedAtMs: Date.now() });
    response.once('close', () => {
      streams -= 1;
    });
  }
  flags.handler(request, response);
});

let overlapMs = 0;
let lastTickMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  const ranMs = Math.min(nowMs - lastTickMs, LONGEST_TICK_MS);
  lastTickMs = nowMs;
  overlapMs = streams > 1 ? overlapMs + ranMs : 0;
  if (overlapMs > 0) tell({ overlapMs });
}, TICK_MS);

process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => {
  void flags.close();
  http.close(() => process.exit());
  setTimeout(() => http.closeAllConnections(), HEARTBEAT_MS);
});
http.listen(Number(port), '127.0.0.1', () => {
  const address = http.address();
  if (address !== null && typeof address === 'object')
    tell({ listening: `http://127.0.0.1:${address.port}` });
});
