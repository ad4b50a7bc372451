/** What every transport must do, over real sockets: the same promises for server-sent events and for WebSockets. */
import { describe, expect, test } from 'vitest';
import type { StreamListener } from '../../src/transport/contract.ts';
import { asRequest, change, listen, serve, stopServers } from './transport-kit.ts';
import { type Peer, SSE_WIRE, WEBSOCKET_WIRE } from './transport-wires.ts';

/** For streams that never open: any call would throw. */
const NOT_LISTENING = {} as StreamListener;

describe.each([SSE_WIRE, WEBSOCKET_WIRE])('$name', ({ transport, deaf, forbidden, accept }) => {
  /** How many messages come with one call is the transport's own affair. */
  const hear = async (url: string, on: Partial<StreamListener> = {}, signal?: AbortSignal) => {
    const heard = await listen({ url, ...(signal && { signal }) }, on, transport);
    return heard.flatMap((line) =>
      line.startsWith('received ') ? line.slice('received '.length).split(' ') : [line],
    );
  };

  test('asks with token, event id and filter, and keeps the token out of the address', async () => {
    let seen: Peer | undefined;
    const url = await accept((peer) => {
      seen = peer;
      peer.end();
    });
    const filter = { flagKeys: ['a b', 'c&d'], flagIDs: [1], tags: ['web'], segmentsOf: ['é'] };
    const after = { epoch: 'e', revision: 7 };
    // In plain base64 it would hold a slash, a plus and padding.
    const accessToken = '???>>>secret!~';
    await listen({ url, after, accessToken, filter }, {}, transport);
    expect(seen).toMatchObject({ token: accessToken, after: 'e.7', filter });
    expect(decodeURIComponent(seen?.address ?? '')).not.toContain('secret');
  });

  test('asks for everything without a filter, and sends neither token nor event id when there is none', async () => {
    let seen: Peer | undefined;
    const url = await accept((peer) => {
      seen = peer;
      peer.end();
    });
    await hear(url);
    expect(seen).toMatchObject({ token: undefined, after: undefined, filter: undefined });
  });

  test('refuses a token that no header can carry without repeating it', async () => {
    const url = await accept(() => expect.fail('asked'));
    const end = await transport.stream(asRequest({ url, accessToken: 'my secret\n' }), NOT_LISTENING);
    expect(end).toMatchObject({ ended: 'failed', error: { code: 'unauthorized' } });
    expect(end).not.toHaveProperty('error.message', expect.stringContaining('secret'));
  });

  test('hears messages, heartbeats and unknown events in order, and then the end', async () => {
    let signs = 0;
    const url = await accept((peer) => {
      peer.send(change(1, '🚩ü€'));
      peer.position({ epoch: 'e', revision: 1 });
      peer.send({ kind: 'unknown', type: 'weather' });
      peer.send({ kind: 'bye', retryAfterMs: 5, reason: 'closing' });
      peer.end();
    });
    expect(await hear(url, { alive: () => signs++ })).toEqual([
      'opened',
      '1🚩ü€',
      'position e.1',
      'unknown:weather',
      'bye',
      'closed',
    ]);
    expect(signs).toBeGreaterThan(0);
  });

  test('drops a message that the end of the connection cut in two', async () => {
    const url = await accept((peer) => {
      peer.send(change(1));
      peer.sendHalf(change(2));
    });
    const heard = await hear(url);
    expect(heard.slice(0, -1)).toEqual(['opened', '1']);
    expect(['closed', 'failed unreachable']).toContain(heard.at(-1));
  });

  test('ends as failed when the connection is reset', async () => {
    let reset = (): void => {};
    const url = await accept((peer) => {
      reset = peer.reset;
      peer.send(change(1));
    });
    expect(await hear(url, { received: () => reset() })).toEqual(['opened', '1', 'failed unreachable']);
  });

  test('reports a malformed event between the good ones before and after it', async () => {
    const url = await accept((peer) => {
      peer.send(change(1));
      peer.sendMalformed();
      peer.send(change(3));
      peer.end();
    });
    expect(await hear(url)).toEqual([
      'opened',
      '1',
      'malformed invalid_data flag_updated.flagKey',
      '3',
      'closed',
    ]);
  });

  test('ends the stream at an event over the limit, after handing over what came before', async () => {
    let closed: Promise<void> | undefined;
    const url = await accept((peer) => {
      ({ closed } = peer);
      peer.send(change(1));
      peer.send(change(2, 'x'.repeat(20_000)));
      peer.send(change(3));
    });
    const heard = await hear(url);
    expect(heard.map((line) => line.replace(/ The frame$/, ''))).toEqual([
      'opened',
      '1',
      'malformed too_large',
      'failed too_large',
    ]);
    await closed;
  });

  test.each([
    [401, undefined, undefined],
    [403, undefined, undefined],
    [404, undefined, undefined],
    [410, undefined, undefined],
    [429, '7', 7000],
    [503, '0', 0],
    [500, 'soon', undefined],
  ])('passes status %i with Retry-After %o on', async (status, retryAfter, retryAfterMs) => {
    const url = await serve((_, response) => {
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
    });
    expect(await transport.stream(asRequest({ url }), NOT_LISTENING)).toEqual({
      ended: 'refused',
      status,
      retryAfterMs,
    });
  });

  test('a captive portal is no flag server', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>');
    });
    expect(await transport.stream(asRequest({ url }), NOT_LISTENING)).toEqual({
      ended: 'wrong-content',
      contentType: 'text/html',
    });
  });

  test('says what failed and what to do when no server answers', async () => {
    const url = await serve(() => {});
    stopServers();
    const end = await transport.stream(asRequest({ url }), NOT_LISTENING);
    expect(end).toMatchObject({ ended: 'failed', error: { code: 'unreachable' } });
    expect(end).toHaveProperty('error.message', expect.stringMatching(/ECONNREFUSED.*Check the address/));
  });

  test('ends as failed at an address that is none', async () => {
    expect(await hear('no address')).toEqual(['failed unreachable']);
  });

  test('an abort while the server has not answered ends the request on both sides', async () => {
    const stop = new AbortController();
    let closed: Promise<void> | undefined;
    const url = await serve((request) => {
      closed = new Promise((done) => request.socket.on('close', () => done()));
      stop.abort();
    });
    expect(await hear(url, {}, stop.signal)).toEqual(['aborted']);
    await closed;
  });

  test('an abort in mid-stream ends the request on both sides', async () => {
    const stop = new AbortController();
    let closed: Promise<void> | undefined;
    const url = await accept((peer) => {
      ({ closed } = peer);
      peer.send(change(1));
    });
    const heard = await hear(url, { received: () => stop.abort() }, stop.signal);
    expect(heard).toEqual(['opened', '1', 'aborted']);
    await closed;
  });

  test('a listener that stops the stream hears nothing more, not even what has come already', async () => {
    const stop = new AbortController();
    const url = await accept((peer) => {
      peer.send(change(1));
      peer.position({ epoch: 'e', revision: 1 });
      peer.send(change(2));
    });
    const heard = await hear(url, { received: () => stop.abort() }, stop.signal);
    expect(heard).toEqual(['opened', '1', 'aborted']);
  });

  test('an abort before the start asks nothing', async () => {
    const request = asRequest({ url: 'http://a', signal: AbortSignal.abort() });
    expect(await forbidden.stream(request, NOT_LISTENING)).toEqual({ ended: 'aborted' });
  });

  test('an abort ends the request even if the platform never settles it', async () => {
    const stop = new AbortController();
    const end = deaf.stream(asRequest({ url: 'http://a', signal: stop.signal }), NOT_LISTENING);
    stop.abort();
    expect(await end).toEqual({ ended: 'aborted' });
  });

  test('a listener that throws ends its stream, and the cause is kept', async () => {
    let closed: Promise<void> | undefined;
    const url = await accept((peer) => {
      ({ closed } = peer);
      peer.send(change(1));
    });
    const fault = new Error('no room');
    const quiet = () => {};
    const listener: StreamListener = {
      opened: quiet,
      alive: quiet,
      quiet,
      position: quiet,
      malformed: quiet,
      retry: quiet,
      received: () => {
        throw fault;
      },
    };
    const end = await transport.stream(asRequest({ url }), listener);
    expect(end).toMatchObject({ ended: 'failed', error: { code: 'closed', cause: fault } });
    await closed;
  });
});
