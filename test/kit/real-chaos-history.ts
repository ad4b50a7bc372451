/** The model of real chaos: every state that the server has had, by revision. All edits go through it. */
import type { ChaosServer } from './real-chaos-server.ts';
import type { SeenState } from './real-chaos-tab.ts';

export interface ServerHistory {
  /** What the server has. */
  readonly now: SeenState;
  /** Changes one flag, to a text it never had; does nothing while the server is down. */
  edit(): Promise<void>;
  /** What is wrong with the state, in words; undefined for one that the server had. */
  unknown(state: SeenState): string | undefined;
}

interface ListedFlag {
  readonly id: number;
  readonly description: string;
}

export async function readHistory(server: ChaosServer): Promise<ServerHistory> {
  const { epoch, revision } = await server.health();
  const listed = (await server.rest('/flags')) as readonly ListedFlag[];
  const flags = new Map(listed.map(({ id, description }) => [id, description]));
  const digest = (): string =>
    [...flags]
      .sort(([a], [b]) => a - b)
      .map(([id, description]) => `${id}=${description}`)
      .join(' ');
  let now: SeenState = { epoch, revision, digest: digest() };
  const had = new Map<number, string>([[revision, now.digest]]);

  return {
    get now() {
      return now;
    },
    async edit() {
      if (!server.isUp) return;
      const next = now.revision + 1;
      const id = [...flags.keys()][next % flags.size] ?? 1;
      const description = `edit ${next}`;
      // Before the request: a tab may show the change before the answer is here.
      flags.set(id, description);
      now = { epoch, revision: next, digest: digest() };
      had.set(next, now.digest);
      await server.rest(`/flags/${id}`, { method: 'PUT', body: { description } });
    },
    unknown(state) {
      if (state.epoch !== epoch) return `shows the epoch ${state.epoch}, which the server never had`;
      const expected = had.get(state.revision);
      if (expected === state.digest) return undefined;
      return `shows at revision ${state.revision} "${state.digest}", and the server had "${expected}"`;
    },
  };
}
