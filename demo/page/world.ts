/** The control requests of the demo's own server: they change the world around the page, never the page. */

export type NetworkState = 'restored' | 'cut' | 'stalled';

export interface WorldState {
  readonly network: NetworkState;
  /** When a button of any tab made it so; milliseconds since 1970. */
  readonly networkSinceMs: number;
  /** Streams that the flag server has open now, from all browsers. */
  readonly streams: number;
  /** What the flag server has arrived at, known here without the stream. */
  readonly revision: number;
  readonly flagServerUrl: string;
}

/** `undefined` when the demo's server does not answer: it was stopped, or this device is offline. */
export async function askWorld(): Promise<WorldState | undefined> {
  return readState(await request('GET', 'state'));
}

export async function setNetwork(state: NetworkState): Promise<WorldState | undefined> {
  return readState(await request('POST', 'network', { state }));
}

export async function resetWorld(): Promise<WorldState | undefined> {
  return readState(await request('POST', 'reset'));
}

/** False when the server could not be asked or refused. */
export async function setFlagEnabled(flagID: number, enabled: boolean): Promise<boolean> {
  return (await request('POST', `flags/${flagID}/enabled`, { enabled })) !== undefined;
}

/** False when the server could not be asked or refused. */
export async function setRollout(
  flagID: number,
  segmentID: number,
  rolloutPercent: number,
): Promise<boolean> {
  const path = `flags/${flagID}/segments/${segmentID}/rollout`;
  return (await request('POST', path, { rolloutPercent })) !== undefined;
}

async function request(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
  try {
    const response = await fetch(new URL(`__demo/${path}`, document.baseURI), {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

function readState(json: unknown): WorldState | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { network, networkSinceMs, streams, revision, flagServerUrl } = json as Record<string, unknown>;
  if (network !== 'restored' && network !== 'cut' && network !== 'stalled') return undefined;
  if (typeof networkSinceMs !== 'number') return undefined;
  if (typeof streams !== 'number' || typeof revision !== 'number') return undefined;
  if (typeof flagServerUrl !== 'string') return undefined;
  return { network, networkSinceMs, streams, revision, flagServerUrl };
}
