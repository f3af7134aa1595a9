import { expect } from 'chai';
import { mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PROFILES } from '../../core/profile/profiles.js';
import { conform } from '../../traces/conform/conform.js';
import { verdictOf } from '../../traces/conform/verdict.js';
import { place } from '../cli/run.js';
import { must } from '../store/given.js';
import { captureWith, linesOf } from './damage.js';
import { imported, kernelOf, newDesk, recordings, recordingsOf } from './recordings.js';

/** As 6.11 and later make an image final, without its program; all else is as on 6.1, so that no kernel is like it. */
const later = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/( bpf_jit_binary_pack_finalize: \([^)]*\)) prog=\S+/, '$1'));

describe('a recording of a kernel that no profile fits', function () {
  this.timeout(60_000);
  const desk = newDesk();
  after(desk.end);
  const folder = recordingsOf(/^6\.1-S1$/)[0] as string;
  const unfit = (): string =>
    captureWith(folder, later(linesOf(folder)), mkdtempSync(join(desk.folder, 'copy-')));

  it('is followed as the nearest, and says which line does not fit', async () => {
    const store = desk.store('unfit');
    const { report } = await imported(store, unfit(), { name: 'unfit' });
    const first =
      later(linesOf(folder)).findIndex((line) => line.includes(' bpf_jit_binary_pack_finalize: ')) + 1;
    expect(report.contradiction).to.deep.equal({ line: first, fn: 'bpf_jit_binary_pack_finalize' });
    expect(report.profile).to.equal('6.1');
    expect(report.profiles_possible).to.include('6.1');
    const conformed = must(conform(store, 'unfit', folder));
    expect(conformed.contradiction).to.deep.equal(report.contradiction);
    expect(verdictOf(conformed)).to.not.equal('equal');
    const otherwise = conformed.moments.map((moment) => ({
      ...moment,
      differences_total: 0,
      executable_unknown: 0,
    }));
    expect(verdictOf({ ...conformed, moments: otherwise, divergences_unexplained: 0 })).to.equal('unknown');
  });

  it('says so on the command line', async () => {
    const at = place();
    try {
      const { code, out } = await at.run(['import', unfit(), '--name', 'unfit']);
      expect(code).to.equal(0);
      expect(out).to.match(
        /^does not fit +line \d+ \(bpf_jit_binary_pack_finalize\) is none of this kernel/m,
      );
      expect((await at.run(['conform', 'unfit', folder])).out).to.match(/^does not fit +line \d+/m);
    } finally {
      at.remove();
    }
  });

  it('is also one that is followed as another kernel than it is', async () => {
    const { report } = await imported(desk.store('asked'), folder, { name: 'asked', profile: '7.2' });
    expect(report.profile).to.equal('7.2');
    expect(report.profiles_possible).to.include.members(['6.1', '7.2']);
    expect(report.profiles_possible).to.deep.equal(
      PROFILES.map(({ name }) => name).filter((name) => report.profiles_possible.includes(name)),
    );
    expect(report.contradiction).to.not.equal(undefined);
  });

  it('is none of those there are', async () => {
    for (const path of recordings()) {
      const { report } = await imported(desk.store(basename(path)), path);
      expect(report.contradiction, basename(path)).to.equal(undefined);
      expect(report.profile).to.equal(kernelOf(path));
      expect(report.profiles_possible).to.include(report.profile);
    }
  });
});
