/**
 * Benches: `npm run bench`, or after a build `node test/bench/main.ts tabs load size`. They print and never judge: compare rows of one run,
 * not runs of different machines. Browser numbers are taken inside the pages, warmed up, one browser per bench.
 */
import { benchEvaluate } from './evaluate.ts';
import { benchFaults } from './faults.ts';
import { benchLoad } from './load.ts';
import { describeMachine, formatRows, type Row } from './report.ts';
import { benchSize } from './size.ts';
import { benchTabs } from './tabs.ts';

const BENCHES: Record<string, () => Promise<readonly Row[]>> = {
  size: benchSize,
  tabs: benchTabs,
  load: benchLoad,
  faults: benchFaults,
  evaluate: benchEvaluate,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(BENCHES);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`No bench named ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(2);
}

console.log(describeMachine());
for (const name of wanted) {
  const rows = (await BENCHES[name]?.()) ?? [];
  console.log(`\n${name}\n${formatRows(rows)}`);
}
