import { expect } from 'chai';
import { aboutText } from '../../cli/show/imported.js';
import { profileNamed } from '../../core/profile/profiles.js';

const about = (kernel: string, arch: string): string => {
  const profile = profileNamed(kernel);
  if (profile === null) throw new Error(`no profile ${kernel}`);
  return aboutText(profile, arch);
};

describe('the kernel that a recording is followed as', () => {
  it('is told in the words of its profile where the architecture has its packs', () => {
    for (const arch of ['x86_64', 'arm64', 'ppc64le', 'riscv64'])
      expect(about('6.12', arch)).to.contain('packs of 2 MiB per node');
  });

  it('has no packs where the architecture has none', () => {
    for (const [kernel, arch] of [
      ['6.1', 'arm64'],
      ['6.1', 'ppc64le'],
      ['6.1', 's390x'],
      ['6.12', 's390x'],
    ] as const)
      expect(about(kernel, arch)).to.equal(`on ${arch} without packs: each function has an area of its own`);
  });
});
