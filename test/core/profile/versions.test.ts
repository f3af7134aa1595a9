/** kernel-model.md §2.2, §2.10: which profile a kernel version has, and what it rests on. */
import { expect } from 'chai';
import { chooseProfile } from '../../../core/driver/follow/recognise.js';
import { gradeOf } from '../../../core/profile/grade.js';
import { kernel, v6_1 } from '../../../core/profile/profile.js';
import { profileNamed, profileOf, PROFILES } from '../../../core/profile/profiles.js';
import { signaturesOf } from '../../../core/profile/signatures.js';
import { covers, findProfile, versionOf } from '../../../core/profile/versions.js';

const named = (name: string): string => {
  const found = profileOf(name);
  return found.profile === null
    ? `near ${found.near.map((p) => p.name).join(', ')}`
    : found.profile.name + (found.inferred === null ? '' : '?');
};

describe('a kernel version', () => {
  const expected: Readonly<Record<string, string>> = {
    '5.10.223': '5.10',
    '5.16': 'near 5.10, 5.17',
    '5.17.0': '5.17',
    '5.17.9': '5.17?',
    '5.18-rc1': '5.18-rc3?',
    '5.18-rc2': '5.18-rc3?',
    'v5.18-rc3': '5.18-rc3',
    '5.18-rc4': '5.18-rc5?',
    '5.18': '5.18-rc5?',
    '5.18.1': '5.18-rc5?',
    '5.18.12': '5.18.2',
    '5.18.17': '5.18.2?',
    '5.18.19': '5.18.18?',
    '5.19.0': '5.19',
    '5.19.6': '5.19.2',
    '6.0.3': '6.0?',
    // Which of its backports a point release of 6.1 has is not known.
    '6.1.50': 'near 6.1.0, 6.1',
    '6.1.176': '6.1',
    '6.2.5': 'near 6.2, 6.3',
    '6.2.12': '6.3',
    '6.4': '6.3',
    '6.5.3': '6.5?',
    '6.7': '6.6?',
    '6.12.50': 'near 6.12.0, 6.12',
    '6.12.107': '6.12',
    '6.14.0': '6.13',
    '6.15': '6.15?',
    '6.18': '6.16',
    '7.0': '6.19',
    '7.1.5': '7.1',
    '7.2.13': '7.2',
    '7.3': 'near 7.2',
    '4.19': 'near 5.10',
    mainline: 'near ',
  };
  for (const [version, profile] of Object.entries(expected))
    it(`${version}: ${profile}`, () => expect(named(version)).to.equal(profile));

  it('that is the name of a profile is that profile, whatever covers the version', () => {
    for (const { name } of PROFILES) expect(named(name).replace('?', '')).to.equal(name);
  });

  it('is covered by one profile at most, and profiles are in the order of their versions', () => {
    const ranged = PROFILES.filter((profile) => profile.covers !== null);
    const edges = ranged.flatMap((profile) => profile.covers ?? []);
    for (const edge of edges) {
      const version = versionOf(edge);
      if (version === null) throw new Error(edge);
      expect(
        ranged.filter((profile) => covers(profile, version)),
        edge,
      ).to.have.length(1);
    }
    const starts = ranged.map((profile) => versionOf(profile.covers?.[0] ?? '') ?? [0, 0, 0, 0]);
    const sorted = starts.toSorted((a, b) => a.map((n, i) => n - (b[i] as number)).find((n) => n !== 0) ?? 0);
    expect(starts).to.deep.equal(sorted);
  });

  it('that was read or recorded for a profile is one that it covers', () => {
    for (const profile of PROFILES)
      for (const text of [...profile.read, ...Object.values(profile.recorded)]) {
        const version = versionOf(text);
        expect(version, text).to.not.equal(null);
        if (version !== null && profile.covers !== null)
          expect(covers(profile, version), `${profile.name}: ${text}`).to.equal(true);
      }
  });
});

const choose = (release: string): string => chooseProfile(PROFILES, release).name;

describe('the kernel of a recording that several profiles fit', () => {
  it('is the one that covers its release, else the nearest older one', () => {
    expect(choose('5.18.12-arch1')).to.equal('5.18.2');
    expect(choose('5.18.0-rc5recon+')).to.equal('5.18-rc5');
    expect(choose('6.4.3')).to.equal('6.3');
    expect(choose('6.3.0-generic')).to.equal('6.3');
    expect(choose('6.2.0-39-generic')).to.equal('6.2');
    expect(choose('6.7.12-generic')).to.equal('6.6');
    expect(choose('7.9.1')).to.equal('7.2');
  });

  it('is a recorded one where distributions number their own way, or nothing is said', () => {
    expect(choose('6.1.0-50-cloud-amd64')).to.equal('6.1');
    expect(choose('5.10.0-32-cloud-amd64')).to.equal('5.10');
    expect(choose('')).to.equal('7.2');
  });
});

const grade = (name: string, arch: string, path: 'normal' | 'failure'): string =>
  gradeOf(profileNamed(name) ?? v6_1, arch, path);

describe('the grade of a profile', () => {
  it('is recorded where there is a recording of this architecture', () => {
    expect(grade('6.1', 'x86_64', 'normal')).to.equal('recorded');
    expect(grade('6.12', 'riscv64', 'normal')).to.equal('recorded');
    expect(grade('7.2', 'arm64', 'normal')).to.equal('inferred');
    expect(grade('6.1', 'ppc64le-64k', 'normal')).to.equal('recorded');
  });

  it('is not recorded of another page size, nor of a JIT that the recording is without', () => {
    expect(grade('6.1', 'arm64-64k', 'normal')).to.not.equal('recorded');
    expect(grade('6.1', 'ppc64le', 'normal')).to.not.equal('recorded');
    expect(grade('6.12', 's390x', 'normal')).to.equal('inferred');
  });

  it('is that of the source, and of what is known of the architecture, elsewhere', () => {
    expect(grade('6.8', 'x86_64', 'normal')).to.equal('read in source');
    expect(grade('6.8', 'arm64-64k', 'normal')).to.equal('read in source');
    expect(grade('6.8', 's390x', 'normal')).to.equal('inferred');
    expect(grade('6.8', 'parisc', 'normal')).to.equal('from memory');
    expect(grade('6.15', 'x86_64', 'normal')).to.equal('inferred');
  });

  it('of a failure path is never recorded', () => {
    for (const profile of PROFILES)
      for (const arch of ['x86_64', 'arm64', 'ppc64le', 'riscv64', 's390x', 'mips'])
        expect(gradeOf(profile, arch, 'failure'), `${profile.name} ${arch}`).to.not.equal('recorded');
    expect(grade('6.12.0', 'x86_64', 'failure')).to.equal('read in source');
    expect(grade('7.2', 'x86_64', 'failure')).to.equal('inferred');
  });
});

describe('a profile more', () => {
  // The example of docs/profiles.md.
  const next = kernel(profileNamed('7.2') ?? v6_1, {
    name: '7.3',
    about: 'as 7.2; the dispatcher is back on a page of its own',
    covers: ['7.3', '7.3.*'],
    read: ['7.3.1'],
    recorded: {},
    dispatcher: 'page',
  });

  it('is one entry: it has a name, versions, a grade, and the probes of the kernel it comes from', () => {
    const all = [...PROFILES, next];
    expect(findProfile(all, '7.3.1')).to.deep.equal({ profile: next, inferred: null });
    expect(findProfile(all, '7.3.2').profile).to.equal(next);
    expect(gradeOf(next, 'x86_64', 'normal')).to.equal('read in source');
    expect(signaturesOf(next)).to.equal(signaturesOf(profileNamed('7.2') ?? v6_1));
  });
});
