import { writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { compareLongTraces } from '../../replay/compareLongTraces.js';
import { compareTraces } from '../../replay/compareTraces.js';
import { must } from '../../replay/failed.js';
import { logOn, openLog } from '../../replay/log.js';
import { openStore } from '../../store/index.js';
import { simulate } from '../../traces/simulate/simulate.js';
import { churnWorkload } from '../../bench/workload.js';
import { scratchFile } from './given.js';

const KERNELS = ['5.18-rc3', '5.18-rc3-packv2'] as const;

/** A log of the same work on two kernels. */
const pairOfTraces = (): string => {
  const file = scratchFile();
  const store = must(openStore(file));
  const churn = churnWorkload({ name: 'churn', seed: 4, live: 20, operations: 600 });
  const operations = [...churn.operations];
  for (const [seed, kernel] of KERNELS.entries())
    must(simulate(store, { ...churn, operations }, { kernel, name: kernel, seed }));
  store.close();
  return file;
};

describe('two traces read by threads', () => {
  it('give what they give in one', async () => {
    const file = pairOfTraces();
    const log = must(openLog(file));
    const [a, b] = [must(log.trace(KERNELS[0])), must(log.trace(KERNELS[1]))];
    const alone = must(compareTraces(a, b));
    let last = { a: 0, b: 0 };
    const progress = (seqs: typeof last): void => {
      last = seqs;
    };
    const found = must(await compareLongTraces(file, a, b, { threadsFrom: 0, progress }));
    expect(found).to.deep.equal(alone);
    expect(found.differences).to.be.greaterThan(0);
    expect(last).to.deep.equal({ a: a.info.events, b: b.info.events });
    log.close();
  }).timeout(60_000);

  it('are not needed for short ones', async () => {
    const file = pairOfTraces();
    const log = must(openLog(file));
    const [a, b] = [must(log.trace(KERNELS[0])), must(log.trace(KERNELS[1]))];
    // A file that is none: a thread could not read it.
    const found = must(await compareLongTraces(`${file}-none`, a, b));
    expect(found).to.deep.equal(must(compareTraces(a, b)));
    log.close();
  }).timeout(60_000);

  it('say what a thread could not read', async () => {
    const file = pairOfTraces();
    const log = must(openLog(file));
    const [a, b] = [must(log.trace(KERNELS[0])), must(log.trace(KERNELS[1]))];
    const other = scratchFile();
    writeFileSync(other, 'no log');
    for (const [wrong, code] of [
      [`${file}-none`, 'no-such-file'],
      [other, 'not-sqlite'],
    ] as const) {
      const found = await compareLongTraces(wrong, a, b, { threadsFrom: 0 });
      expect(found.ok || found.error.code).to.equal(code);
    }
    log.close();
  }).timeout(60_000);

  it('must be two', async () => {
    const store = must(openStore(':memory:'));
    const churn = churnWorkload({ name: 'churn', seed: 4, live: 2, operations: 4 });
    must(simulate(store, churn, { kernel: '6.1', name: 'run' }));
    const trace = must(logOn(store).trace('run'));
    const found = await compareLongTraces(store.file, trace, trace, { threadsFrom: 0 });
    expect(found.ok || found.error.code).to.equal('same-trace');
    store.close();
  });
});
