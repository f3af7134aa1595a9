import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { format } from 'prettier';
import { withArchesTable } from '../../core/arch/table.js';
import { profileNamed } from '../../core/profile/profiles.js';
import type { Profile } from '../../core/profile/profile.js';
import { newArch } from '../../docs/examples/newArch.js';
import { runEmulation } from '../../replay/emulation.js';
import { openWorkload } from '../../traces/workload/open.js';
import { projectRoot } from '../traces/recordings.js';

describe('docs/architectures.md', () => {
  it('has the architectures as they are (node scripts/architectures-doc.js writes them)', async () => {
    const page = readFileSync(join(projectRoot(), 'docs', 'architectures.md'), 'utf8');
    const options = JSON.parse(readFileSync(join(projectRoot(), '.prettierrc.json'), 'utf8')) as object;
    expect(withArchesTable(page)).to.include('| `arm64-16k`');
    expect(await format(withArchesTable(page), { ...options, parser: 'markdown' })).to.equal(page);
  });

  for (const kernel of ['5.18-rc5', '6.1', '7.2'])
    it(`shows an architecture that runs: ${kernel}`, async () => {
      const opened = await openWorkload('two-programs');
      if (!opened.ok) throw new Error(opened.error.what);
      const { boot: _boot, ...workload } = opened.value.workload;
      const run = runEmulation({ workload, profile: profileNamed(kernel) as Profile, arch: newArch });
      expect(run.figures.areas.allocated).to.equal(2);
      expect(run.figures.splits).to.deep.equal({ primary: 0, direct_map: 0 });
      expect(run.figures.pages).to.deep.equal({ 4096: 2 });
      expect(run.figures.writable_executable.pages).to.equal(0);
      // The alias stays writable: the audit must not miss that.
      const broken = run.audited.judged
        .filter(({ verdict }) => verdict === 'broken')
        .map(({ rule }) => rule.id);
      expect(broken).to.include('I2');
    });
});
