/** A WebSocket client against the server of this process, and closed when the test ends. */
import { onTestFinished } from 'vitest';
import type { ConnectionPolicy } from '../../src/core/connection/policy.ts';
import { FlagentWebSocketClient } from '../../src/standalone/flagent-websocket-client.ts';
import type { FlagentWebSocketClientOptions } from '../../src/standalone/websocket-client-options.ts';
import { eventually } from './sse-client-kit.ts';

export interface OpenSocketClient {
  readonly client: FlagentWebSocketClient;
  /** Addresses and subprotocols of every socket that was opened. */
  readonly opened: readonly { readonly address: string; readonly protocols: readonly string[] }[];
  /** Everything that was said on any of them. */
  readonly said: readonly Readonly<Record<string, unknown>>[];
  live(): Promise<void>;
}

/** Retries at once: what is tested here is what happens, not when. */
const IMPATIENT: Partial<ConnectionPolicy> = { retryBaseMs: 5, retryCapMs: 20, shortLivedMs: 0 };

export function openSocketClient(options: FlagentWebSocketClientOptions): OpenSocketClient {
  const opened: { address: string; protocols: readonly string[] }[] = [];
  const said: Readonly<Record<string, unknown>>[] = [];
  const Recorded = class extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols);
      opened.push({ address, protocols });
    }

    override send(text: string): void {
      said.push(JSON.parse(text));
      super.send(text);
    }
  };
  const client = new FlagentWebSocketClient({
    WebSocket: Recorded,
    ...options,
    connection: { ...IMPATIENT, ...options.connection },
  });
  onTestFinished(() => client.close());
  return { client, opened, said, live: () => eventually(() => client.status.is === 'live') };
}
