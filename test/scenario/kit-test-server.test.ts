/** The test server that users get: flags in, flags out, and nothing left behind. */
import { expect, test } from 'vitest';
import { buildFlag, buildFlags, startTestServer } from '../../src/testing/index.ts';

test('flags given at the start and imported later are served', async () => {
  const server = await startTestServer({ flags: [buildFlag('first', { id: 1 })] });
  try {
    await server.importFlags([buildFlag('second', { id: 2 })]);
    const snapshot = (await (await fetch(`${server.url}/api/v1/snapshot`)).json()) as {
      readonly flags: readonly { readonly key: string }[];
    };
    expect(snapshot.flags.map((flag) => flag.key).sort()).toEqual(['first', 'second']);
  } finally {
    await server.close();
  }
});

test('a built flag comes back from the server as it was built', async () => {
  const flags = buildFlags(50);
  const server = await startTestServer({ flags, writeTokens: ['secret'] });
  try {
    const answer = await fetch(`${server.url}/api/v1/snapshot`, {
      headers: { Authorization: 'Bearer secret' },
    });
    const snapshot = (await answer.json()) as { readonly flags: readonly { readonly id: number }[] };
    const byId = [...snapshot.flags].sort((a, b) => a.id - b.id);
    expect(byId).toEqual(
      flags.map((flag) => ({ ...flag, snapshotID: expect.any(Number), updatedAt: expect.any(String) })),
    );
  } finally {
    await server.close();
  }
});

test('what the server refuses is an error that says why', async () => {
  const server = await startTestServer({ flags: [buildFlag('one', { id: 1 })] });
  try {
    await expect(server.importFlags([buildFlag('other', { id: 1, key: '' } as object)])).rejects.toThrow(
      /key/,
    );
  } finally {
    await server.close();
  }
});
