import { expect } from 'chai';
import { comparer, type Compared } from '../../../replay/compare/comparer.js';
import { layoutAt } from '../../../replay/compare/layout.js';
import { rootReader } from '../../../replay/compare/reader.js';
import { projectionOf, shownAtFirst } from '../../../replay/compare/shown.js';
import { newRecall, type Recall } from '../../../replay/compare/trail.js';
import { must } from '../../../replay/failed.js';
import { logOn, type TraceView } from '../../../replay/log.js';
import { openStore } from '../../../store/index.js';
import { simulate } from '../../../traces/simulate/simulate.js';
import { churnWorkload } from '../../../bench/workload.js';

const KERNELS = ['5.18-rc3', '5.18-rc3-packv2', '6.1', '7.2'] as const;

const emulations = (): TraceView[] => {
  const store = must(openStore(':memory:'));
  const churn = churnWorkload({ name: 'churn', seed: 9, live: 12, operations: 150 });
  const operations = [...churn.operations];
  for (const [seed, kernel] of KERNELS.entries())
    must(simulate(store, { ...churn, operations }, { kernel, name: kernel, seed }));
  const log = logOn(store);
  return KERNELS.map((kernel) => must(log.trace(kernel)));
};

const compared = (a: TraceView, b: TraceView, recall: Recall): Compared => {
  const [shownA, shownB] = [must(shownAtFirst(a)), must(shownAtFirst(b))];
  const readers = {
    a: must(rootReader(a, projectionOf(shownA, shownB))),
    b: must(rootReader(b, projectionOf(shownB, shownA))),
  };
  const begins = { a: layoutAt(must(a.start())), b: layoutAt(must(b.start())) };
  const whole = comparer(begins, 5, { a: 0, b: 0 }, recall);
  for (let side = whole.next(); side !== null; side = whole.next())
    whole.take(side, must(readers[side].read()));
  return whole.end();
};

/** A recall that counts what it gives. */
const counting = (recall: Recall): { readonly recall: Recall; readonly given: () => number } => {
  let given = 0;
  return {
    recall: {
      ...recall,
      outcome: (a, b, scope) => {
        const outcome = recall.outcome(a, b, scope);
        if (outcome !== null) given++;
        return outcome;
      },
    },
    given: () => given,
  };
};

describe('what is recalled of shapes', () => {
  it('is what comparing the trees gives, whichever kernels are compared', function () {
    this.timeout(120_000);
    const traces = emulations();
    for (const a of traces)
      for (const b of traces) {
        if (a === b) continue;
        const { recall, given } = counting(newRecall());
        const found = compared(a, b, recall);
        expect(found).to.deep.equal(
          compared(a, b, { ...newRecall(), outcome: () => null }),
          `${a.name} ${b.name}`,
        );
        expect(given(), 'root calls that were told by their shapes').to.be.greaterThan(found.compared / 2);
      }
  });
});
