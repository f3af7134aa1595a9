import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { ARCHES } from '../../core/arch/arches.js';
import { Twin, type Loaded } from '../models/twin.js';
import { CELLS } from './differential.js';
import { parallel } from './parallel.js';

const RUNS = Number(process.env['PAGETRAIL_DIFFERENTIAL'] ?? 20_000);
/** Another part of the seeds every day: a failure names its seed. */
const FIRST = 1 + (Math.floor(Date.now() / 86_400_000) % 100_000) * RUNS;

describe('The differential test', () => {
  it('knows every architecture', () => {
    expect([...new Set(CELLS.map(({ arch }) => arch.name))]).to.deep.equal(ARCHES.map(({ name }) => name));
  });

  it('sees what lies in memory: an image that the naive model has not is a difference', () => {
    const twin = new Twin({ kernel: '6.1', seed: 1 });
    const loaded = twin.load(400);
    expect(() => twin.finish()).to.not.throw();
    twin.naive.content.filled((loaded as Loaded).placed.at, 64);
    expect(() => twin.finish()).to.throw(/core class 3 of \d+, naive trap/);
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
