/** Decides by asking a server over REST: one request alone, several as batches. */
import type { EvaluationRequest, EvaluationResult } from '../../src/core/evaluate/evaluation.ts';
import type { Answer, Decider } from './evaluation-decider.ts';
import type { EvaluationServer } from './evaluation-server.ts';

/** The answer of the endpoints, as far as the tests read it. */
export interface EvaluationJson extends Omit<EvaluationResult, 'entityID' | 'entityType'> {
  readonly flagTags: readonly string[];
  readonly evalContext: {
    readonly entityID: string;
    readonly entityType: string;
    readonly entityContext: Readonly<Record<string, string>> | null;
  };
  readonly evalDebugLog: { readonly msg: string; readonly segmentDebugLogs: Answer['log'] } | null;
  readonly timestamp: number;
}

export function restDecider({ url, hold }: EvaluationServer): Decider {
  async function decideOne(request: EvaluationRequest): Promise<readonly EvaluationJson[]> {
    return [(await post(`${url}/api/v1/evaluation`, request)) as EvaluationJson];
  }

  async function decideMany(batch: object): Promise<readonly EvaluationJson[]> {
    const json = await post(`${url}/api/v1/evaluation/batch`, batch);
    return (json as { readonly evaluationResults: readonly EvaluationJson[] }).evaluationResults;
  }

  return {
    async decide(flags, requests) {
      await hold(flags);
      const answers: EvaluationJson[] = [];
      for (const neighbours of withSameFlag(requests)) {
        const isAlone = requests.length === 1;
        answers.push(...(await (isAlone ? decideOne(neighbours[0]) : decideMany(asBatch(neighbours)))));
      }
      return answers.map(answerOfJson);
    },
    async countTagged(flags, flagTags, flagTagsOperator) {
      await hold(flags);
      return (await decideMany({ entities: [{}], flagTags, flagTagsOperator })).length;
    },
  };
}

type Neighbours = [EvaluationRequest, ...EvaluationRequest[]];

/** Requests that follow each other and are about one flag go into one batch. */
function withSameFlag(requests: readonly EvaluationRequest[]): readonly Neighbours[] {
  const groups: Neighbours[] = [];
  for (const request of requests) {
    const last = groups.at(-1);
    if (last !== undefined && last[0].flagKey === request.flagKey) last.push(request);
    else groups.push([request]);
  }
  return groups;
}

function asBatch(requests: Neighbours): object {
  const { flagKey, enableDebug } = requests[0];
  const entities = requests.map(({ entityID, entityType, entityContext }) => ({
    entityID,
    entityType,
    entityContext,
  }));
  return { flagKeys: [flagKey], entities, enableDebug };
}

function answerOfJson({ evalContext, evalDebugLog, ...result }: EvaluationJson): Answer {
  const { entityID, entityType } = evalContext;
  const { msg, segmentDebugLogs = [] } = evalDebugLog ?? {};
  return { ...result, entityID, entityType, message: msg, log: segmentDebugLogs };
}

async function post(address: string, body: object): Promise<unknown> {
  const response = await fetch(address, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok)
    throw new Error(`${address} was answered with ${response.status}: ${await response.text()}`);
  return response.json();
}
