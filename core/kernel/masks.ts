import { Prot } from '../value/prot.js';
import type { Word } from '../value/words.js';

/** x86 page-table bits as the kernel's masks carry them. */
export const PTE = Object.freeze({
  present: 0x1,
  rw: 0x2,
  dirty: 0x40,
  nx: 0x80000000 /* bit 31 of the high half */,
});

export const NO_MASK: Word = { hi: 0, lo: 0 };

export const mask = (lo: number, nx = false): Word => ({ hi: nx ? PTE.nx : 0, lo });

/** Without the NX bit. */
export const withoutNx = (m: Word): Word => ({ hi: m.hi & ~PTE.nx & 0x7fffffff, lo: m.lo });

export const isNxOnly = (set: Word, clr: Word): boolean => set.lo === 0 && clr.lo === 0;

/** What a pair of masks does to the permission: bits that become yes and bits that become no. */
export const protChange = (set: Word, clr: Word): { readonly set: number; readonly clear: number } => {
  const plain = (m: Word): number =>
    (m.lo & PTE.present ? Prot.present : 0) |
    (m.lo & PTE.rw ? Prot.writable : 0) |
    (m.lo & PTE.dirty ? Prot.dirty : 0);
  return {
    set: plain(set) | (clr.hi & PTE.nx ? Prot.executable : 0),
    clear: plain(clr) | (set.hi & PTE.nx ? Prot.executable : 0),
  };
};
