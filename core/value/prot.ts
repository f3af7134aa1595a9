/**
 * Permission of one page as small bit sets. Each property is yes, no or unknown: `prot` holds the yes bits in 0–3 and, shifted
 * by four, which properties are unknown.
 */
export const Prot = Object.freeze({
  present: 1,
  writable: 2,
  executable: 4,
  /** x86 D bit: matters where a read-only page still has it (F40). */
  dirty: 8,
  all: 15,

  unknown(bits: number): number {
    return bits << 4;
  },

  /** Everything unknown. */
  nothingKnown: 15 << 4,

  /** Memory as PAGE_KERNEL maps it. */
  kernel: 1 | 2 | 8,

  change(prot: number, set: number, clear: number): number {
    const known = set | clear;
    return (prot & 15 & ~clear) | set | (((prot >> 4) & ~known) << 4);
  },

  has(prot: number, bit: number): boolean {
    return (prot & bit) !== 0;
  },

  isUnknown(prot: number, bit: number): boolean {
    return (prot & (bit << 4)) !== 0;
  },

  /** True unless it is known that the page cannot be executed. */
  mayExecute(prot: number): boolean {
    const present = (prot & 1) !== 0 || (prot & 16) !== 0;
    const executable = (prot & 4) !== 0 || (prot & 64) !== 0;
    return present && executable;
  },

  /** `r w x`, `-` for no, `?` for unknown. A page that is not present is `---`. */
  toText(prot: number): string {
    const p = prot & 16 ? '?' : prot & 1 ? 'r' : '-';
    if (p === '-') return '---';
    const w = prot & 32 ? '?' : prot & 2 ? 'w' : '-';
    const x = prot & 64 ? '?' : prot & 4 ? 'x' : '-';
    return p + w + x;
  },
});
