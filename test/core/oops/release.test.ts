import { expect } from 'chai';
import { isWithin, parseRelease } from '../../../core/oops/release.js';

const within = (text: string, from: string | null, below: string | null): boolean | null => {
  const release = parseRelease(text);
  return release === null ? null : isWithin(release, from, below);
};

describe('a release', () => {
  it('lies in a range, release candidates before their release', () => {
    expect(within('5.18.0-rc3recon+', '5.18-rc1', '5.18-rc4')).to.equal(true);
    expect(within('5.18.0-rc5', '5.18-rc1', '5.18-rc4')).to.equal(false);
    expect(within('5.18.0', '5.18-rc1', '5.18.2')).to.equal(true);
    expect(within('5.18.2', '5.18-rc1', '5.18.2')).to.equal(false);
    expect(within('6.1.0-50-cloud-amd64', null, '6.10')).to.equal(true);
    expect(within('6.12.101+deb12-cloud-amd64', null, '6.10')).to.equal(false);
    expect(within('7.1', '5.18', null)).to.equal(true);
    expect(within('unknown', null, null)).to.equal(null);
  });
});
