/** What only the WebSocket transport has to do: subprotocols, what travels beside the stream, and learning why a socket was refused. */
import { expect, test } from 'vitest';
import { WebSocket as WebSocketOfPackage } from 'ws';
import type { StreamListener } from '../../src/transport/contract.ts';
import { createWebSocketTransport } from '../../src/transport/websocket.ts';
import type { WebSocketLike } from '../../src/transport/websocket-like.ts';
import type { SideTraffic } from '../../src/transport/websocket-stream.ts';
import { asRequest, change, listen, serve } from './transport-kit.ts';
import { acceptSockets, createTestWebSocketTransport, WEBSOCKET_WIRE } from './transport-wires.ts';

const NOT_LISTENING = {} as StreamListener;
const SUBSCRIBED = '{"type":"subscribed","id":"stream"}';

test('a server that speaks WebSocket but not this protocol is no flag server', async () => {
  const url = await acceptSockets(() => {}, false);
  // Browsers refuse such a server themselves; the class of a package does not.
  const transport = createTestWebSocketTransport({ WebSocket: withoutProtocol });
  expect(await listen({ url }, {}, transport)).toEqual(['wrong-content']);
});

/** Offers nothing, so that the server need not choose. */
const withoutProtocol = class extends WebSocket {
  constructor(address: string) {
    super(address);
  }
};

test('a server that takes sockets while none gets through to it is told from one that refuses', async () => {
  const url = await serve((_, response) => response.writeHead(426).end());
  const end = await createTestWebSocketTransport().stream(asRequest({ url }), NOT_LISTENING);
  expect(end).toMatchObject({ ended: 'failed', error: { code: 'unreachable' } });
  expect(end).toHaveProperty('error.message', expect.stringContaining('none gets through'));
});

test('asks why with the token in a header, at the address of the socket', async () => {
  const asked: (string | undefined)[] = [];
  const url = await serve(({ url: path, headers }, response) => {
    asked.push(`${path} ${headers.authorization}`);
    response.writeHead(403).end();
  });
  const transport = createTestWebSocketTransport({ address: `${url}/elsewhere` });
  const request = asRequest({ url, accessToken: 'secret', filter: { tags: ['web'] } });
  expect(await transport.stream(request, NOT_LISTENING)).toMatchObject({ ended: 'refused', status: 403 });
  // The first is the upgrade.
  expect(asked).toEqual(['/elsewhere undefined', '/elsewhere Bearer secret']);
});

test.each([
  [1000, 'closed'],
  [1001, 'closed'],
  [1009, 'failed unreachable'],
  [4000, 'failed unreachable'],
])('a socket that is closed with %i ends as %s', async (code, end) => {
  const url = await acceptSockets((socket) => socket.close(code, 'for a reason'));
  expect(await listen({ url }, {}, WEBSOCKET_WIRE.transport)).toEqual([end]);
});

test('a binary frame ends the stream: nothing of it is understood', async () => {
  const url = await acceptSockets((socket) => {
    socket.send(SUBSCRIBED);
    socket.send(Buffer.from(SUBSCRIBED));
  });
  expect(await listen({ url }, {}, WEBSOCKET_WIRE.transport)).toEqual(['opened', 'failed invalid_data']);
});

test.each([
  ['that is not JSON', 'nonsense'],
  ['without a type', '{}'],
  ['that is a list', '[]'],
  ['of a known type without its fields', '{"type":"position"}'],
])('a frame %s is malformed, and the stream goes on', async (_, text) => {
  const url = await acceptSockets((socket) => {
    socket.send(SUBSCRIBED);
    socket.send(text);
    socket.send('{"type":"position","eventId":"e.1"}');
    socket.close();
  });
  const heard = await listen({ url }, {}, WEBSOCKET_WIRE.transport);
  expect(heard.map((line) => line.replace(/(?<=invalid_data).*/, ''))).toEqual([
    'opened',
    'malformed invalid_data',
    'position e.1',
    'closed',
  ]);
});

test('a subscription that the server refuses ends the stream with what the server says', async () => {
  const url = await acceptSockets((socket) => {
    socket.send('{"type":"error","id":"stream","code":"too_large","message":"Ask for less."}');
  });
  const end = await WEBSOCKET_WIRE.transport.stream(asRequest({ url }), {
    ...NOT_LISTENING,
    alive: () => {},
  });
  expect(end).toMatchObject({ ended: 'failed', error: { code: 'too_large', message: 'Ask for less.' } });
});

/** Writes down what travels beside a stream. */
function watchBeside(on: Partial<SideTraffic> = {}): {
  readonly lines: string[];
  readonly beside: SideTraffic;
} {
  const lines: string[] = [];
  return {
    lines,
    beside: {
      opened: (send) => {
        lines.push('opened');
        on.opened?.(send);
      },
      received: (answer) => {
        lines.push(`${answer.kind} ${answer.id}`);
        on.received?.(answer);
      },
      closed: (how) => lines.push(how),
    },
  };
}

test('a filter that names nothing subscribes to nothing, and the socket serves what travels beside', async () => {
  const asked: string[] = [];
  const stop = new AbortController();
  const url = await acceptSockets((socket) => {
    socket.on('message', (data) => {
      asked.push(data.toString());
      socket.send('{"type":"error","id":"q","code":"not_found","message":"No."}');
    });
  });
  const { lines, beside } = watchBeside({ opened: (send) => send('question'), received: () => stop.abort() });
  const heard = await listen(
    { url, filter: {}, signal: stop.signal },
    {},
    createTestWebSocketTransport({ beside }),
  );
  expect(heard).toEqual(['opened', 'aborted']);
  expect(asked).toEqual(['question']);
  expect(lines).toEqual(['opened', 'error q', 'left']);
});

test('what travels beside a stream hears that the socket was lost, and nothing of one that never opened', async () => {
  const url = await acceptSockets((socket) => socket.terminate());
  const lost = watchBeside();
  await listen({ url }, {}, createTestWebSocketTransport({ beside: lost.beside }));
  expect(lost.lines).toEqual(['opened', 'lost']);
  const refused = watchBeside();
  const closed = await serve((_, response) => response.writeHead(503).end());
  await listen({ url: closed }, {}, createTestWebSocketTransport({ beside: refused.beside }));
  expect(refused.lines).toEqual([]);
});

/** A socket that the test plays, and timers that it calls. */
function playedTransport() {
  const sent: string[] = [];
  const socket: WebSocketLike = {
    protocol: 'flagent.v1',
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: (text) => sent.push(text),
    close: () => {},
  };
  let timers: { readonly delayMs: number; readonly call: () => void }[] = [];
  const transport = createWebSocketTransport({
    WebSocket: class {
      constructor() {
        // biome-ignore lint/correctness/noConstructorReturn: the one socket of this test.
        return socket;
      }
    } as never,
    fetch,
    pingIntervalMs: 7,
    system: {
      nowMs: () => 0,
      after: (delayMs, call) => {
        const timer = { delayMs, call };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
    },
  });
  return {
    transport,
    sent,
    open: () => socket.onopen?.(undefined as never),
    hear: (data: unknown) => socket.onmessage?.({ data } as never),
    close: (code: number) => socket.onclose?.({ code, reason: '' } as never),
    /** Delays of the timers that were due. */
    pass: () =>
      timers.splice(0).map(({ delayMs, call }) => {
        call();
        return delayMs;
      }),
    timers: () => timers.length,
  };
}

test('asks the server for signs of life again and again, until the stream ends', async () => {
  const { transport, sent, open, pass, timers } = playedTransport();
  const stop = new AbortController();
  const heard = listen({ url: 'http://a', filter: {}, signal: stop.signal }, {}, transport);
  open();
  expect([pass(), pass(), pass()]).toEqual([[7], [7], [7]]);
  expect(sent).toEqual(['{"type":"ping"}', '{"type":"ping"}', '{"type":"ping"}']);
  stop.abort();
  await heard;
  expect(timers()).toBe(0);
});

test('nothing is heard after the end, though a platform may go on telling', async () => {
  const { transport, sent, open, hear, close, timers } = playedTransport();
  const stop = new AbortController();
  let signs = 0;
  const heard = listen({ url: 'http://a', signal: stop.signal }, { alive: () => signs++ }, transport);
  stop.abort();
  open();
  hear(SUBSCRIBED);
  close(1006);
  expect([await heard, signs, sent, timers()]).toEqual([['aborted'], 0, [], 0]);
});

test('a sign of life that ends the stream takes the frame that brought it along', async () => {
  const { transport, open, hear } = playedTransport();
  const stop = new AbortController();
  const heard = listen({ url: 'http://a', signal: stop.signal }, { alive: () => stop.abort() }, transport);
  open();
  hear(SUBSCRIBED);
  expect(await heard).toEqual(['aborted']);
});

test('works with the class of the package ws', async () => {
  const url = await WEBSOCKET_WIRE.accept((peer) => {
    peer.send(change(1));
    peer.end();
  });
  const transport = createTestWebSocketTransport({ WebSocket: WebSocketOfPackage });
  expect(await listen({ url, accessToken: 'secret' }, {}, transport)).toEqual([
    'opened',
    'received 1',
    'closed',
  ]);
});
