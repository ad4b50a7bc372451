/** What Flagent 0.1.7 decides, row by row. `test/vectors/README.md` says where the rows come from. */
import { evaluate } from '../../src/core/evaluate/evaluate.ts';
import { matchesFilter } from '../../src/core/model.ts';
import { answerOf, type Decider } from '../kit/evaluation-decider.ts';
import { decidesAsFlagent } from '../kit/evaluation-suite.ts';
import { lookup } from '../kit/flag-lookup.ts';

const evaluator: Decider = {
  decide: (flags, requests) => {
    const held = lookup(flags);
    return requests.map((request) => answerOf(evaluate(held, request)));
  },
  countTagged: (flags, tags) => flags.filter((flag) => matchesFilter({ tags }, flag)).length,
};

decidesAsFlagent(() => evaluator, {
  'flagr/tags-all': 'selecting by all of several tags is for a batch over REST; a filter means any of them',
  'flagr/tags-all-mixed': 'as above',
  'flagent/service-no-entity':
    'the server invents a random entity id; a pure function answers ENTITY_ID_MISSING',
});
