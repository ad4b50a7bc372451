/** Decides by the public client in a page, with the flags that it got from a server. */
import type { EvaluationRequest, EvaluationResult } from '../../src/core/evaluate/evaluation.ts';
import type { ClientTab } from './client-tab.ts';
import { answerOf, type Decider } from './evaluation-decider.ts';
import type { EvaluationServer } from './evaluation-server.ts';

export function clientDecider(tab: ClientTab, server: EvaluationServer): Decider {
  return {
    async decide(flags, requests) {
      await tab.reaches(await server.hold(flags));
      // As text: drivers take half a millisecond for an object, and there are thousands.
      const results = await tab.evaluate((text: string) => {
        const asked = JSON.parse(text) as readonly EvaluationRequest[];
        return JSON.stringify(asked.map((request) => window.flags.evaluateNow(request)));
      }, JSON.stringify(requests));
      return (JSON.parse(results) as EvaluationResult[]).map(answerOf);
    },
    async countTagged(flags, tags) {
      await server.hold(flags);
      return tab.evaluate(
        async ({ url, wanted }) => {
          const { createFlagClient } = window.flagentOffline;
          const namespace = `tagged ${wanted.join()}`;
          const client = createFlagClient({ url, namespace, filter: { tags: wanted } });
          await client.ready();
          const count = client.peekFlags().size;
          await client.close();
          return count;
        },
        { url: server.url, wanted: tags },
      );
    },
  };
}
