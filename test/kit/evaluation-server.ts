/** A real flag server whose flags are replaced as a whole, without the rules that edits over REST must keep: the rows break some. */
import type { Flag } from '../../src/core/model.ts';
import { createFlagentServer, type FlagRecord, openSqliteSource } from '../../src/server/index.ts';

export interface EvaluationServer {
  readonly url: string;
  /** From now on these are all flags, with their ids and in their order. Gives the revision at which they are. */
  hold(flags: readonly Flag[]): Promise<number>;
  close(): Promise<void>;
}

export async function startEvaluationServer(): Promise<EvaluationServer> {
  const source = openSqliteSource({ file: ':memory:' });
  const server = createFlagentServer({ source, allowOrigins: ['*'], closeTimeoutMs: 500 });
  const { url } = await server.listen({ port: 0 });
  return {
    url,
    async hold(flags) {
      await source.edit(({ records, lastIDs }) => {
        const wanted = new Set(flags.map(({ id }) => id));
        const gone = [...records.values()].filter(({ flag, archived }) => !archived && !wanted.has(flag.id));
        return {
          writes: [...gone.map((record) => ({ ...record, archived: true })), ...flags.map(recordOf)].map(
            (record) => ({ record, type: 'FLAG_UPDATED' as const }),
          ),
          lastIDs,
          answer: () => undefined,
        };
      });
      return source.revision;
    },
    close: () => server.close(),
  };
}

function recordOf(flag: Flag): FlagRecord {
  return {
    flag,
    notes: null,
    createdBy: null,
    updatedBy: null,
    environmentId: null,
    projectId: null,
    archived: false,
  };
}
