/** A flag server inside the test's own process, gone without a trace when it is closed. */
import type { Flag } from '../core/model.ts';
import { createFlagentServer, type FlagentServer, type FlagentServerOptions } from '../server/index.ts';

export interface TestServer {
  /** Without a trailing slash: `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly server: FlagentServer;
  /** Adds the flags, or replaces those with the same ids; clients see it as edits. */
  importFlags(flags: readonly Flag[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts on a free port of this machine, by default with a database in memory and open to every origin.
 *
 * @example
 * const flags = await startTestServer({ flags: [buildFlag('new_payment_flow')] });
 * const client = createFlagClient({ url: flags.url });
 */
export async function startTestServer(
  options: FlagentServerOptions & { readonly flags?: readonly Flag[] } = {},
): Promise<TestServer> {
  const { flags = [], ...serverOptions } = options;
  const server = createFlagentServer({
    allowOrigins: ['*'],
    ...(serverOptions.source === undefined && { database: ':memory:' }),
    ...serverOptions,
  });
  const { url } = await server.listen({ port: 0 });
  const token = serverOptions.writeTokens?.[0];

  async function importFlags(wanted: readonly Flag[]): Promise<void> {
    const response = await fetch(`${url}/api/v1/import`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ flags: wanted }),
    });
    if (!response.ok) {
      throw new Error(
        `The test server did not take the flags (${response.status}): ${await response.text()}`,
      );
    }
  }

  if (flags.length > 0) await importFlags(flags);
  return { url, server, importFlags, close: () => server.close() };
}
