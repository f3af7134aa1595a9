import { expect } from 'chai';
import type { LevelEntry, Oops } from '../../../core/oops/oops.js';
import { allows, protOf, translationOf } from '../../../core/oops/translation.js';
import { x86Entry, x86Error } from '../../../core/oops/x86.js';
import { Prot } from '../../../core/value/prot.js';
import { oopsWith } from './given.js';

const walk = (address: bigint, entries: readonly LevelEntry[]): Oops => oopsWith({ address, entries });

describe('an x86 error code', () => {
  for (const [code, access, present, words] of [
    [0x0000n, 'read', false, 'read access, supervisor mode, not present'],
    [0x0002n, 'write', false, 'write access, supervisor mode, not present'],
    [0x0003n, 'write', true, 'write access, supervisor mode, permission'],
    [0x0007n, 'write', true, 'write access, user mode, permission'],
    [0x0010n, 'execute', false, 'instruction fetch, supervisor mode, not present'],
    [0x0011n, 'execute', true, 'instruction fetch, supervisor mode, permission'],
    [0x0009n, 'read', true, 'read access, supervisor mode, a reserved bit is set'],
    [0x0043n, 'write', true, 'write access, supervisor mode, permission, shadow stack'],
  ] as const)
    it(`0x${code.toString(16)} is ${words}`, () => {
      expect(x86Error(code)).to.include({ access, present });
      expect(x86Error(code).words.join(', ')).to.equal(words);
    });
});

describe('an x86 page-table entry', () => {
  it('tells its flags and its frame', () => {
    expect(x86Entry('pte', 0x8000000006d5d161n)).to.deep.equal({
      level: 'pte',
      raw: 0x8000000006d5d161n,
      present: true,
      leaf: true,
      writable: false,
      executable: false,
      pfn: 0x6d5d,
      flags: ['P', 'A', 'D', 'G', 'NX'],
    });
  });

  it('of a large page keeps PAT in another bit', () => {
    const entry = x86Entry('pmd', 0x80000000072011e3n);
    expect(entry).to.include({ leaf: true, pfn: 0x7200, writable: true });
    expect(entry.flags).to.include.members(['PS', 'PAT']);
    expect(x86Entry('pte', 0x72001e3n).flags).to.include('PAT').and.not.include('PS');
  });

  it('that is not present has its frame inverted', () => {
    expect(x86Entry('pte', 0x800ffffff8dfa160n)).to.include({ present: false, pfn: 0x7205 });
    expect(x86Entry('pte', 0n)).to.include({ present: false, pfn: null });
  });
});

describe('an x86 page-table line', () => {
  const upper: readonly LevelEntry[] = [
    { level: 'pgd', raw: 0x2e01067n },
    { level: 'p4d', raw: 0x2e01067n },
    { level: 'pud', raw: 0x2e02067n },
  ];

  it('ends at a large page, and finds the frame of the address in it', () => {
    const found = translationOf(
      walk(0xffff888007203456n, [...upper, { level: 'pmd', raw: 0x80000000072001e1n }]),
    );
    expect(found).to.include({ present: true, writable: false, executable: false, shift: 21, pfn: 0x7203 });
    expect(Prot.toText(protOf(found!))).to.equal('r--');
  });

  it('allows what all levels allow', () => {
    const entries: readonly LevelEntry[] = [
      { level: 'pgd', raw: 0x2e01067n },
      { level: 'pud', raw: 0x8000000002e02065n },
      { level: 'pmd', raw: 0xa224063n },
      { level: 'pte', raw: 0x6d5d163n },
    ];
    const found = translationOf(walk(0xffffffffa0203018n, entries));
    expect(found).to.include({ present: true, writable: false, executable: false });
    expect(allows(found!, 'read')).to.equal(true);
    expect(allows(found!, 'write')).to.equal(false);
    expect(allows(found!, 'execute')).to.equal(false);
  });

  it('ends where a level is not present', () => {
    const found = translationOf(walk(0xffffffffa0203018n, [...upper, { level: 'pmd', raw: 0n }]));
    expect(found).to.include({ present: false, shift: null, pfn: null });
    expect(allows(found!, 'read')).to.equal(false);
  });

  it('says nothing where a level could not be read', () => {
    const found = translationOf(walk(0xffffffffa0203018n, [...upper, { level: 'pmd', raw: null }]));
    expect(found!.present).to.equal(null);
    expect(allows(found!, 'read')).to.equal(null);
    expect(Prot.toText(protOf(found!))).to.equal('???');
    expect(translationOf(walk(0n, []))).to.equal(null);
  });
});
