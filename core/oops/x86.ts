/** x86-64: the page-fault error code and page-table entries (Intel SDM vol. 3, 4.5 and 4.7). */
import type { Access, DecodedEntry, Level } from './oops.js';

const BITS = {
  P: 0x1n,
  W: 0x2n,
  U: 0x4n,
  RSVD: 0x8n,
  I: 0x10n,
  PK: 0x20n,
  SS: 0x40n,
  SGX: 0x8000n,
} as const;

export interface X86Error {
  readonly access: Access;
  readonly present: boolean;
  readonly user: boolean;
  readonly reserved: boolean;
  /** An access to a shadow stack. */
  readonly shadowStack: boolean;
  /** What the bits say, in words. */
  readonly words: readonly string[];
}

/** The error code of a page fault, as `Oops: 0003` and `error_code(0x0003)` print it. */
export const x86Error = (code: bigint): X86Error => {
  const is = (bit: bigint): boolean => (code & bit) !== 0n;
  const access: Access = is(BITS.I) ? 'execute' : is(BITS.W) ? 'write' : 'read';
  return {
    access,
    present: is(BITS.P),
    user: is(BITS.U),
    reserved: is(BITS.RSVD),
    shadowStack: is(BITS.SS),
    words: [
      access === 'execute' ? 'instruction fetch' : `${access} access`,
      is(BITS.U) ? 'user mode' : 'supervisor mode',
      is(BITS.RSVD) ? 'a reserved bit is set' : is(BITS.P) ? 'permission' : 'not present',
      ...(is(BITS.PK) ? ['protection key'] : []),
      ...(is(BITS.SS) ? ['shadow stack'] : []),
      ...(is(BITS.SGX) ? ['SGX'] : []),
    ],
  };
};

const PRESENT = 0x1n;
const RW = 0x2n;
const PAGE_SIZE_BIT = 0x80n;
const NX = 1n << 63n;
const FRAME = 0x000f_ffff_ffff_f000n;
const PAT_LARGE = 0x1000n;

const FLAGS: readonly (readonly [bigint, string])[] = [
  [0x1n, 'P'],
  [0x2n, 'RW'],
  [0x4n, 'US'],
  [0x8n, 'PWT'],
  [0x10n, 'PCD'],
  [0x20n, 'A'],
  [0x40n, 'D'],
  [0x100n, 'G'],
  [NX, 'NX'],
];

/** log2 of what one entry of a level covers. */
const SHIFTS: Readonly<Record<Level, number>> = { pgd: 48, p4d: 39, pud: 30, pmd: 21, pte: 12 };
export const x86LevelShift = (level: Level): number => SHIFTS[level];

const CAN_BE_LEAF: ReadonlySet<Level> = new Set<Level>(['pud', 'pmd', 'pte']);

/** One entry. Where it is not present the kernel keeps the frame inverted, so that no speculative walk finds it (L1TF). */
export const x86Entry = (level: Level, raw: bigint): DecodedEntry => {
  const present = (raw & PRESENT) !== 0n;
  const large = level !== 'pte' && CAN_BE_LEAF.has(level) && (raw & PAGE_SIZE_BIT) !== 0n;
  const leaf = level === 'pte' || large;
  const bits = present || raw === 0n ? raw & FRAME : ~raw & FRAME;
  const frame = large ? bits & ~PAT_LARGE : bits;
  const pat = level === 'pte' ? PAGE_SIZE_BIT : PAT_LARGE;
  return {
    level,
    raw,
    present,
    leaf,
    writable: (raw & RW) !== 0n,
    executable: (raw & NX) === 0n,
    pfn: raw === 0n ? null : Number(frame >> 12n),
    flags: [
      ...FLAGS.filter(([bit]) => (raw & bit) !== 0n).map(([, name]) => name),
      ...(large ? ['PS'] : []),
      ...(leaf && (raw & pat) !== 0n ? ['PAT'] : []),
    ],
  };
};
