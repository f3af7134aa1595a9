import { expect } from 'chai';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { figure, table } from '../bench/figure.js';
import { bench, QUICK } from '../bench/main.js';
import { benchParse, syntheticTrace } from '../bench/parse.js';

describe('bench', function () {
  this.timeout(120_000);

  const usual = process.env['TMPDIR'];
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'pagetrail-test-'));
    process.env['TMPDIR'] = folder;
  });

  after(() => {
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
    rmSync(folder, { recursive: true });
  });

  it('runs to its end, gives well-formed figures and leaves nothing behind', async () => {
    const said: string[] = [];
    const figures = await bench({ ...QUICK, onProgress: (text) => said.push(text) });
    for (const f of figures) {
      expect(f, f.name).to.have.all.keys(
        'name',
        'value',
        'unit',
        'baseline',
        'baselineName',
        'ratio',
        'target',
        'reached',
      );
      if (f.value !== null) expect(f.value, f.name).to.be.above(0);
      if (f.baseline !== null) expect(f.baseline, f.name).to.be.above(0);
      expect(f.reached === null, f.name).to.equal(f.target === '' || f.value === null);
      expect(f.ratio === null, f.name).to.equal(f.baseline === null || f.value === null);
    }
    const names = figures.map(({ name }) => name);
    expect(new Set(names)).to.have.property('size', names.length);
    expect(names).to.include.members(['append', 'import', 'fold, one by one', 'seek, p99', 'size, file']);
    expect(figures.find(({ name }) => name === 'import, calls predicted')).to.include({ value: 100 });
    expect(said).to.not.be.empty;
    expect(readdirSync(folder)).to.be.empty;
  });

  it('measures only what is asked for', async () => {
    const figures = await bench({ ...QUICK, events: 5000, only: 'size' });
    expect(figures.map(({ name }) => name)).to.deep.equal(['size, segments', 'size, file']);
  });

  it('compares in the direction that is better', () => {
    const speed = figure({ name: 'a', value: 30, unit: 'MB/s', baseline: ['b', 60], target: { ratio: 0.6 } });
    expect(speed).to.include({ ratio: 0.5, reached: false, target: '≥ 0.6 × baseline' });
    const size = figure({ name: 'c', value: 30, unit: 'MB', baseline: ['d', 60], target: { atMost: 30 } });
    expect(size).to.include({ ratio: 2, reached: true, target: '≤ 30 MB' });
    expect(figure({ name: 'e', value: null, unit: 'ms', target: { atMost: 1 } })).to.include({
      reached: null,
    });
  });

  it('prints aligned columns', () => {
    const lines = table([
      figure({ name: 'long name', value: 1234.5, unit: 'MB/s', baseline: ['x', 2] }),
      figure({ name: 'b', value: null, unit: 'ms' }),
    ]).split('\n');
    expect(lines).to.have.length(3);
    expect(lines[1]).to.match(/^long name {4}1,235 {2}MB\/s {2}617\.25 ×/);
    expect(lines[2]).to.match(/^b {10}not yet {2}ms$/);
  });

  it('reads its own trace text without loss, as its plain split does', () => {
    expect(benchParse(syntheticTrace(100_000), 1)).to.include({ bytes: syntheticTrace(100_000).length });
  });
});
