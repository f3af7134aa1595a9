import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { ARCHES } from '../../core/arch/arches.js';
import { CELLS } from './differential.js';
import { parallel } from './parallel.js';

const RUNS = Number(process.env['PAGETRAIL_DIFFERENTIAL'] ?? 20_000);
/** Another part of the seeds every day: a failure names its seed. */
const FIRST = 1 + (Math.floor(Date.now() / 86_400_000) % 100_000) * RUNS;

describe('The differential test', () => {
  it('knows every architecture', () => {
    expect([...new Set(CELLS.map(({ arch }) => arch.name))]).to.deep.equal(ARCHES.map(({ name }) => name));
  });

  it(`runs ${RUNS} random workloads from seed ${FIRST} on core and on naive models: no difference`, async function () {
    this.timeout(1_800_000);
    const done = await parallel(FIRST, RUNS, Math.min(4, availableParallelism()));
    expect(done.differences).to.deep.equal([]);
    expect(done.runs).to.equal(RUNS);
    expect(done.operations).to.be.at.least(3 * RUNS);
    expect(Object.keys(done.by)).to.have.length(new Set(CELLS.map(({ arch }) => arch.name)).size);
  });
});
