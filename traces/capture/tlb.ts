/**
 * `tlb.txt` and `mem.txt` (x86): the same page tables as seen by QEMU's monitor, `info tlb` and `info mem`
 * (QEMU 7.2, target/i386/monitor.c). A second witness for pagetable.txt.
 *
 *     ffff888007200000: 0000000007200000 XGPDA----     one line a leaf; X no-execute, G global, P large page, D, A,
 *                                                      C cache disabled, T write-through, U user, W writable
 *     ffffffffa0600000-ffffffffa0800000 0000000000200000 -r-      user, readable, writable
 */
import { Address, type PageNumber } from '../../core/value/address.js';
import { eachLine } from './lines.js';
import { quoted, type Problems } from './problems.js';
import { parseRange, rangeBytes, type AddressRange } from './range.js';

export interface TlbLeaf {
  readonly page: PageNumber;
  readonly phys: PageNumber;
  readonly noExecute: boolean;
  readonly writable: boolean;
  /** A 2 MiB (or 1 GiB) leaf. */
  readonly large: boolean;
  readonly dirty: boolean;
  readonly accessed: boolean;
  /** As printed. */
  readonly flags: string;
}

const LEAF = /^([0-9a-f]{16}): ([0-9a-f]{16}) ([X-][G-][P-][D-][A-][C-][T-][U-][W-])$/;

/** Text of a tlb.txt: one element a leaf, in the order of the file. */
export const parseTlb = (text: string, file: string, problems: Problems): readonly TlbLeaf[] => {
  const leaves: TlbLeaf[] = [];
  eachLine(text, (line, number) => {
    if (line === '' || line.startsWith('#')) return;
    const m = LEAF.exec(line);
    const address = m === null ? null : Address.parse(m[1] ?? '');
    const physical = m === null ? null : Address.parse(m[2] ?? '');
    if (m === null || address === null || physical === null) {
      problems.add(file, number, `not a line of info tlb: ${quoted(line)}`);
      return;
    }
    const flags = m[3] ?? '';
    leaves.push({
      page: address.page,
      phys: physical.page,
      noExecute: flags[0] === 'X',
      large: flags[2] === 'P',
      dirty: flags[3] === 'D',
      accessed: flags[4] === 'A',
      writable: flags[8] === 'W',
      flags,
    });
  });
  return leaves;
};

export interface InfoMemRange extends AddressRange {
  readonly user: boolean;
  readonly writable: boolean;
}

const MEM = /^([0-9a-f]{16})-([0-9a-f]{16}) ([0-9a-f]{16}) ([u-])r([w-])$/;

/** Text of a mem.txt: maximal ranges by user and writable bit; it does not tell execution. */
export const parseInfoMem = (text: string, file: string, problems: Problems): readonly InfoMemRange[] => {
  const ranges: InfoMemRange[] = [];
  eachLine(text, (line, number) => {
    if (line === '' || line.startsWith('#')) return;
    const m = MEM.exec(line);
    const range = m === null ? null : parseRange(m[1] ?? '', m[2] ?? '');
    if (m === null || range === null) {
      problems.add(file, number, `not a line of info mem: ${quoted(line)}`);
      return;
    }
    if (rangeBytes(range) !== Number(`0x${m[3] ?? ''}`)) {
      problems.add(file, number, 'size is not end minus start');
    }
    ranges.push({ ...range, user: m[4] === 'u', writable: m[5] === 'w' });
  });
  return ranges;
};
