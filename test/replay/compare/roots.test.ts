import { expect } from 'chai';
import { rootReader } from '../../../replay/compare/reader.js';
import { detach, newShapes, rootsIn, type RootCall } from '../../../replay/compare/roots.js';
import { projectionOf, shownAtFirst } from '../../../replay/compare/shown.js';
import { itemText } from '../../../replay/compare/told.js';
import { treeOf, type Item } from '../../../replay/compare/tree.js';
import { must } from '../../../replay/failed.js';
import { logOn } from '../../../replay/log.js';
import { openStore } from '../../../store/index.js';
import { simulate } from '../../../traces/simulate/simulate.js';
import { churnWorkload } from '../../../bench/workload.js';

const linesOf = (root: RootCall, item: Item): readonly string[] => [
  `${item.seq} ${itemText(root, item)}`,
  ...(item.node === 'call' ? item.children.flatMap((child) => linesOf(root, child)) : []),
];

describe('a root call', () => {
  it('says the same with numbers and texts of its own', () => {
    const store = must(openStore(':memory:'));
    const churn = churnWorkload({ name: 'churn', seed: 6, live: 6, operations: 60 });
    must(simulate(store, churn, { kernel: '6.1', name: 'run', seed: 2 }));
    const trace = must(logOn(store).trace('run'));
    const shown = must(shownAtFirst(trace));
    const reader = must(rootReader(trace, projectionOf(shown, shown)));
    const roots = rootsIn(newShapes());
    let told = 0;
    for (let batch = must(reader.read()); batch !== null; batch = must(reader.read()))
      for (const root of roots.of(batch)) {
        const { slots, texts } = root;
        const before = linesOf(root, treeOf(root));
        detach(root);
        expect(linesOf(root, treeOf(root))).to.deep.equal(before);
        expect(root.slots).not.to.equal(slots);
        expect(root.texts).not.to.equal(texts);
        if (before.some((line) => line.includes('"bpf_prog_'))) told++;
      }
    expect(told, 'root calls with a text').to.be.greaterThan(0);
    store.close();
  });
});
