/** A client against the server of this process, every request it makes written down, and closed when the test ends. */
import { onTestFinished, vi } from 'vitest';
import type { ConnectionPolicy } from '../../src/core/connection/policy.ts';
import type { Flag } from '../../src/core/model.ts';
import type { FlagChange } from '../../src/core/state/flag-change.ts';
import { FlagentSSEClient } from '../../src/standalone/flagent-sse-client.ts';
import type { FlagentSSEClientOptions } from '../../src/standalone/sse-client-options.ts';
import type { FetchRequest } from '../../src/transport/fetch-like.ts';
import { buildFlag } from '../kit/flags.ts';

export interface SeenRequest {
  readonly url: string;
  readonly headers: FetchRequest['headers'];
}

export interface OpenClient {
  readonly client: FlagentSSEClient;
  readonly requests: readonly SeenRequest[];
  /** Settles when the stream is live; fails the test when that takes too long. */
  live(): Promise<void>;
}

/** Retries at once: what is tested here is what happens, not when. */
const IMPATIENT: Partial<ConnectionPolicy> = { retryBaseMs: 5, retryCapMs: 20, shortLivedMs: 0 };

export function openClient(options: FlagentSSEClientOptions): OpenClient {
  const requests: SeenRequest[] = [];
  const client = new FlagentSSEClient({
    ...options,
    connection: { ...IMPATIENT, ...options.connection },
    fetch: (url, request) => {
      requests.push({ url, headers: request.headers });
      return fetch(url, request);
    },
  });
  onTestFinished(() => client.close());
  return {
    client,
    requests,
    live: () => eventually(() => client.status.is === 'live'),
  };
}

/** Waits for what must come sooner or later. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitFor(
    async () => {
      if (!(await condition())) throw new Error(`Still not: ${condition}`);
    },
    { timeout: 15_000, interval: 5 },
  );
}

/** One id per letter, so that a flag is the same flag in every import. */
export function flag(key: string, description = '', tags: readonly string[] = []): Flag {
  const id = key.charCodeAt(0);
  return buildFlag(key, {
    id,
    description,
    tags: tags.map((value) => ({ id: 1 + value.charCodeAt(0), value })),
  });
}

/** A listener that writes down what it hears: `a: old → new (type)`. */
export function listening(): {
  readonly lines: readonly string[];
  readonly listen: (change: FlagChange) => void;
} {
  const lines: string[] = [];
  return {
    lines,
    listen: ({ flagKey, flag: now, previous, type }) => {
      lines.push(`${flagKey}: ${previous?.description} → ${now?.description}${type ? ` ${type}` : ''}`);
    },
  };
}
