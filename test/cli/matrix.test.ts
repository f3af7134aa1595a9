import { expect } from 'chai';
import { place, type Place } from './run.js';

describe('pagetrail matrix', () => {
  let at: Place;
  before(() => {
    at = place();
  });
  after(() => at.remove());

  const kernels = ['--kernels', '5.18-rc3,6.1'];

  it('puts kernels side by side, in lines no wider than a page', async () => {
    const { code, out } = await at.run(['matrix', 'pack-basic', ...kernels]);
    expect(code).to.equal(0);
    const [head = '', sure = ''] = out.split('\n');
    expect(head.trim().split(/\s+/)).to.deep.equal(['5.18-rc3', '6.1']);
    expect(sure).to.match(/^how sure/);
    for (const line of out.split('\n')) expect(line.length).to.be.at.most(100);
  });

  it('gives the same figures as JSON and as CSV', async () => {
    const json = JSON.parse((await at.run(['matrix', 'pack-basic', ...kernels, '--json'])).out) as {
      cells: { kernel: string; figures: { never_written: number; events: number } }[];
    };
    const lines = (await at.run(['matrix', 'pack-basic', ...kernels, '--format', 'csv'])).out
      .trim()
      .split('\n');
    expect(lines).to.have.length(3);
    const heads = (lines[0] as string).split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/);
    json.cells.forEach((cell, i) => {
      const row = (lines[i + 1] as string).split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/);
      expect(row[0]).to.equal(cell.kernel);
      expect(row[heads.indexOf('events')]).to.equal(String(cell.figures.events));
      expect(row[heads.indexOf('"executable, never written (bytes)"')]).to.equal(
        String(cell.figures.never_written),
      );
    });
  });

  it('runs a kernel once, however often it is named, and tells of one that never existed why', async () => {
    const { code, out } = await at.run([
      'matrix',
      'one-program',
      '--kernels',
      '6.1,6.1, 6.1',
      '--arches',
      'mips,mips',
    ]);
    expect(code).to.equal(0);
    expect((out.split('\n')[0] as string).trim()).to.equal('6.1');
    const none = await at.run(['matrix', 'one-program', '--kernels', '5.10', '--arches', 'parisc']);
    expect(none.code).to.equal(0);
    expect(none.out).to.match(/^not run\n5\.10 on parisc +parisc has a BPF JIT since 6\.6\n$/);
  });

  it('says what is wrong: kernel, architecture, workload', async () => {
    for (const [args, what] of [
      [['--kernels', '4.4'], /kernel 4\.4 is not modelled/],
      [['--arches', 'vax'], /architecture vax is not modelled/],
      [['--kernels', ' , '], /--kernels names no kernel/],
      [['--arches', ','], /--arches names no architecture/],
      [['--format', 'xml'], /format is none of text, csv/],
    ] as const) {
      const { code, out, err } = await at.run(['matrix', 'pack-basic', ...args]);
      expect(code).to.equal(2);
      expect(out).to.equal('');
      expect(err).to.match(what);
    }
    const { code, err } = await at.run(['matrix', 'no-such-thing']);
    expect(code).to.equal(2);
    expect(err).to.match(/there is no such workload.*pack-basic/s);
  });
});
