/** A stock Flagent server sends nothing when nothing changes, and it says who it is with its first event. */
import { expect, test } from 'vitest';
import { encodeSseComment } from '../../src/core/protocol/sse-frame.ts';
import { bytewise, change, listen, streaming, wire } from '../contract/transport-kit.ts';

const GREETING =
  'event: connected\r\ndata: {"type":"connected","message":"Connected to Flagent realtime updates"}\r\n\r\n';

test.each([
  ['in one chunk', [GREETING]],
  ['byte by byte', bytewise(GREETING)],
  ['after a comment', [encodeSseComment('hello'), GREETING]],
])('the greeting of a stock server tells that silence is normal, once: %s', async (_, pieces) => {
  const heard = await listen({
    url: await streaming([...pieces, 'event: flag.updated\r\ndata: {}\r\n\r\n']),
  });
  expect(heard.filter((line) => line === 'quiet').length).toBe(1);
  expect(heard.slice(0, 2)).toEqual(['opened', 'quiet']);
});

test.each([
  ['our server', [wire(change(1))]],
  ['our server, should it ever send an event of that name later', [wire(change(1)), ...bytewise(GREETING)]],
  ['our server, both in one chunk', [wire(change(1)) + GREETING]],
])('silence is not normal at %s', async (_, pieces) => {
  expect(await listen({ url: await streaming(pieces) })).not.toContain('quiet');
});
