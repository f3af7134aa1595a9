import { Address } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import type { PageTableDump } from './pagetable.js';
import type { InfoMemRange } from './tlb.js';

/** Where code lies on x86-64: modules and BPF, below the fixed mappings. */
const CODE_START = Address.fromWords(0xffffffff, 0xa0000000).page;
const CODE_END = Address.fromWords(0xffffffff, 0xff000000).page;

/** What `info mem` of QEMU's monitor says of page tables: where something is mapped, and whether it may be written. No frames, no leaves, not what may be executed. */
export const memRanges = (ranges: readonly InfoMemRange[]): PageTableDump => ({
  executableArea: ranges
    .filter(({ start, end }) => start.page >= CODE_START && end.page <= CODE_END)
    .map(({ start, end, writable }) => ({
      start,
      end,
      phys: null,
      leaf: 0,
      present: true,
      writable,
      executable: false,
      dirty: false,
      accessed: false,
      unknown: Prot.executable | Prot.dirty,
      flags: writable ? 'rw' : 'r-',
    })),
  directMap: [],
  notPresent: [],
  formerDirectMap: [],
});
