/** What the buttons of the page do to the world around it: edit flags with the write token, cut and restore the network, start anew. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Flag } from 'flagent-offline';
import type { FaultProxy, TestServer } from 'flagent-offline/testing';
import type { Control } from './serve-site.ts';

export interface World {
  readonly flagServer: TestServer;
  readonly network: FaultProxy;
  /** What `reset` returns to. */
  readonly flags: readonly Flag[];
  /** Stays here: the page has only a read token. */
  readonly writeToken: string;
}

const NETWORK_STATES = ['restored', 'cut', 'stalled'] as const;
type NetworkState = (typeof NETWORK_STATES)[number];

type Answer = { readonly status: number; readonly body: object };

export function createControl({ flagServer, network, flags, writeToken }: World): Control {
  let networkState: NetworkState = 'restored';
  let networkSinceMs = Date.now();

  const state = (): Answer => ({
    status: 200,
    body: {
      network: networkState,
      networkSinceMs,
      streams: flagServer.server.streams,
      revision: flagServer.server.source.revision,
      flagServerUrl: network.url,
    },
  });

  async function setNetwork(wanted: unknown): Promise<Answer> {
    const next = NETWORK_STATES.find((known) => known === wanted);
    if (next === undefined) return refused(`state must be one of ${NETWORK_STATES.join(', ')}.`);
    if (next !== networkState) networkSinceMs = Date.now();
    await network.restore();
    if (next === 'cut') network.refuse();
    if (next === 'stalled') network.stall();
    networkState = next;
    return state();
  }

  /** Goes to the server directly, so that flags can be edited while the page is cut off. */
  async function edit(path: string, body: object): Promise<Answer> {
    const response = await fetch(`${flagServer.url}/api/v1/flags/${path}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${writeToken}` },
      body: JSON.stringify(body),
    });
    return response.ok ? { status: 200, body } : refused(`The flag server answered ${response.status}.`);
  }

  async function setEnabled(id: string, enabled: unknown): Promise<Answer> {
    if (typeof enabled !== 'boolean') return refused('enabled must be true or false.');
    return edit(`${id}/enabled`, { enabled });
  }

  async function setRollout(id: string, segmentID: string, rolloutPercent: unknown): Promise<Answer> {
    if (typeof rolloutPercent !== 'number') return refused('rolloutPercent must be a number.');
    return edit(`${id}/segments/${segmentID}`, { rolloutPercent });
  }

  async function reset(): Promise<Answer> {
    await flagServer.importFlags(flags);
    return setNetwork('restored');
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const path = request.url ?? '/';
    if (request.method === 'GET' && path === '/state') return state();
    if (request.method !== 'POST')
      return { status: 405, body: { error: 'Only GET /state and POST are known.' } };
    // Another site open in the same browser must not press our buttons.
    if (new URL(request.headers.origin ?? 'http://none').host !== request.headers.host) {
      return { status: 403, body: { error: 'Only the page of the demo may do this.' } };
    }
    const body = await readBody(request);
    if (path === '/network') return setNetwork(body.state);
    if (path === '/reset') return reset();
    const [, id, segmentID] = /^\/flags\/(\d+)\/(?:enabled|segments\/(\d+)\/rollout)$/.exec(path) ?? [];
    if (id === undefined) return { status: 404, body: { error: `Nothing is at ${path}.` } };
    return segmentID === undefined
      ? setEnabled(id, body.enabled)
      : setRollout(id, segmentID, body.rolloutPercent);
  }

  return (request, response) => {
    answer(request).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => send(response, 500, { error: String(error) }),
    );
  };
}

function refused(error: string): Answer {
  return { status: 400, body: { error } };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 10_000) throw new Error('The request is too long.');
  }
  const json: unknown = text === '' ? {} : JSON.parse(text);
  return typeof json === 'object' && json !== null ? { ...json } : {};
}
