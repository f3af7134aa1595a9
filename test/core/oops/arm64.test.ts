import { expect } from 'chai';
import { arm64Entry, arm64LevelShift, arm64Syndrome } from '../../../core/oops/arm64.js';
import { translationOf } from '../../../core/oops/translation.js';
import { oopsWith } from './given.js';

describe('an arm64 syndrome', () => {
  for (const [esr, kind, access, present, level] of [
    [0x9600004fn, 'page-fault', 'write', true, 3],
    [0x96000045n, 'page-fault', 'write', false, 1],
    [0x96000007n, 'page-fault', 'read', false, 3],
    [0x9600014fn, 'page-fault', 'read', true, 3],
    [0x8600000fn, 'page-fault', 'execute', true, 3],
    [0x86000006n, 'page-fault', 'execute', false, 2],
    [0x96000010n, 'page-fault', 'read', null, null],
    [0xf2000100n, 'trap', 'execute', null, null],
    [0x02000000n, 'invalid-instruction', 'execute', null, null],
    [0x72000000n, 'bug', null, null, null],
  ] as const)
    it(`0x${esr.toString(16)} is ${kind}, ${access ?? 'no access'}`, () => {
      expect(arm64Syndrome(esr)).to.include({ kind, access, present, level });
    });

  it('tells the comment of a BRK and the words of an abort', () => {
    expect(arm64Syndrome(0xf2000100n).comment).to.equal(0x100);
    expect(arm64Syndrome(0x9600004fn).words).to.deep.equal([
      'data abort at the current level',
      'level 3 permission fault',
      'write',
    ]);
  });
});

describe('an arm64 descriptor', () => {
  it('of a page tells permission and frame', () => {
    expect(arm64Entry('pte', 0x0068000048072f07n)).to.include({
      present: true,
      writable: true,
      executable: false,
      pfn: 0x48072,
    });
    expect(arm64Entry('pte', 0x0060000048072f87n)).to.include({ writable: false, executable: false });
    expect(arm64Entry('pte', 0x0040000048072f87n)).to.include({ writable: false, executable: true });
    expect(arm64Entry('pte', 0x0060000048072f87n).flags).to.include.members(['RDONLY', 'AF', 'PXN', 'UXN']);
  });

  it('that is read-only but managed by hardware (DBM) can be written', () => {
    expect(arm64Entry('pte', 0x0068000048072f87n)).to.include({ writable: true });
  });

  it('is a block without its table bit, and forbids by its table bits', () => {
    expect(arm64Entry('pmd', 0x0060000048000f85n)).to.include({ leaf: true, writable: false });
    expect(arm64Entry('pmd', 0x1800000041b6c003n)).to.include({
      leaf: false,
      executable: false,
      writable: true,
    });
    expect(arm64Entry('pte', 0n)).to.include({ present: false, pfn: null });
  });

  it('covers what its level and the page size say', () => {
    expect(arm64LevelShift('pte', 12)).to.equal(12);
    expect(arm64LevelShift('pmd', 12)).to.equal(21);
    expect(arm64LevelShift('pmd', 14)).to.equal(25);
    expect(arm64LevelShift('pmd', 16)).to.equal(29);
  });
});

describe('an arm64 page-table line', () => {
  it('passes over levels that are folded away, and takes the table bits of the others', () => {
    const found = translationOf(
      oopsWith({
        arch: 'arm64',
        address: 0xffff6b2300abd400n,
        entries: [
          { level: 'pgd', raw: 0n },
          { level: 'p4d', raw: 0x1800000f540ff403n },
          { level: 'pud', raw: 0x1800000f53ebc403n },
          { level: 'pmd', raw: 0x1800000f53eb6403n },
          { level: 'pte', raw: 0x0068000100abdf07n },
        ],
      }),
    );
    expect(found).to.include({ present: true, writable: true, executable: false, shift: 12, pfn: 0x100abd });
    expect(found!.levels).to.have.length(4);
  });
});
