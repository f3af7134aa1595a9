/** arm64: ESR_EL1 and stage 1 descriptors (Arm ARM, D17.2.37 and D8.3). */
import type { Access, DecodedEntry, FaultKind, Level } from './oops.js';

/** Exception classes that an oops of the kernel itself shows. */
const CLASSES: Readonly<Record<number, string>> = {
  0x00: 'unknown reason (an undefined instruction)',
  0x0d: 'branch target exception',
  0x0e: 'illegal execution state',
  0x1c: 'pointer authentication failure',
  0x20: 'instruction abort from a lower level',
  0x21: 'instruction abort at the current level',
  0x22: 'PC alignment fault',
  0x24: 'data abort from a lower level',
  0x25: 'data abort at the current level',
  0x26: 'SP alignment fault',
  0x3c: 'BRK instruction',
};
const INSTRUCTION = new Set([0x20, 0x21]);
const DATA = new Set([0x24, 0x25]);
const BRK = 0x3c;
const UNKNOWN_REASON = 0;

export interface Arm64Syndrome {
  /** Exception class, bits 31 to 26. */
  readonly ec: number;
  readonly kind: FaultKind;
  readonly access: Access | null;
  /** Fault status code of an abort; null for other classes. */
  readonly fsc: number | null;
  /** A permission (or access flag) fault: the page is there. Null where the status says neither. */
  readonly present: boolean | null;
  /** Level of the walk at which it stopped; null where the status names none. */
  readonly level: number | null;
  /** The 16-bit comment of a BRK; null for other classes. */
  readonly comment: number | null;
  readonly words: readonly string[];
}

const STATUS: readonly (readonly [first: number, name: string, present: boolean | null])[] = [
  [0x00, 'address size fault', null],
  [0x04, 'translation fault', false],
  [0x08, 'access flag fault', true],
  [0x0c, 'permission fault', true],
];
const OTHER_STATUS: Readonly<Record<number, string>> = {
  0x10: 'synchronous external abort',
  0x11: 'synchronous tag check fault',
  0x21: 'alignment fault',
  0x2b: 'level -1 translation fault',
  0x30: 'TLB conflict abort',
};

const statusOf = (fsc: number): { name: string; present: boolean | null; level: number | null } => {
  const found = fsc < 0x10 ? STATUS.find(([first]) => (fsc & 0x3c) === first) : undefined;
  if (found !== undefined) return { name: `level ${fsc & 3} ${found[1]}`, present: found[2], level: fsc & 3 };
  return {
    name: OTHER_STATUS[fsc] ?? `status 0x${fsc.toString(16)}`,
    present: fsc === 0x2b ? false : null,
    level: null,
  };
};

/** ESR_EL1, as `ESR = 0x9600004f` and `Oops: 000000009600004f` print it. */
export const arm64Syndrome = (esr: bigint): Arm64Syndrome => {
  const low = Number(esr & 0xffff_ffffn);
  const ec = (low >>> 26) & 0x3f;
  const name = CLASSES[ec] ?? `exception class 0x${ec.toString(16)}`;
  const base = { ec, fsc: null, present: null, level: null, comment: null };
  if (ec === BRK)
    return {
      ...base,
      kind: 'trap',
      access: 'execute',
      comment: low & 0xffff,
      words: [`${name} 0x${(low & 0xffff).toString(16)}`],
    };
  if (!INSTRUCTION.has(ec) && !DATA.has(ec))
    return {
      ...base,
      kind: ec === UNKNOWN_REASON ? 'invalid-instruction' : 'bug',
      access: ec === UNKNOWN_REASON ? 'execute' : null,
      words: [name],
    };
  const fsc = low & 0x3f;
  const status = statusOf(fsc);
  // Cache maintenance counts as a write in WnR, but reads.
  const isWrite = (low & 0x40) !== 0 && (low & 0x100) === 0;
  return {
    ec,
    kind: 'page-fault',
    access: INSTRUCTION.has(ec) ? 'execute' : isWrite ? 'write' : 'read',
    fsc,
    present: status.present,
    level: status.level,
    comment: null,
    words: [name, status.name, ...(DATA.has(ec) ? [isWrite ? 'write' : 'read'] : [])],
  };
};

const VALID = 1n;
const TABLE = 2n;
const READ_ONLY = 1n << 7n;
const DIRTY_MODIFIER = 1n << 51n;
const PXN = 1n << 53n;
const UXN = 1n << 54n;
const PXN_TABLE = 1n << 59n;
const READ_ONLY_TABLE = 1n << 62n;
const FRAME = 0x0000_ffff_ffff_f000n;

const LEAF_FLAGS: readonly (readonly [bigint, string])[] = [
  [1n << 6n, 'AP1'],
  [READ_ONLY, 'RDONLY'],
  [1n << 10n, 'AF'],
  [1n << 11n, 'nG'],
  [1n << 50n, 'GP'],
  [DIRTY_MODIFIER, 'DBM'],
  [1n << 52n, 'CONT'],
  [PXN, 'PXN'],
  [UXN, 'UXN'],
];
const TABLE_FLAGS: readonly (readonly [bigint, string])[] = [
  [PXN_TABLE, 'PXNTable'],
  [1n << 60n, 'UXNTable'],
  [1n << 61n, 'APTable0'],
  [READ_ONLY_TABLE, 'APTable1'],
];

/** One descriptor: a table, a block (`pud`, `pmd` without the table bit) or a page. DBM makes a read-only page writable where the CPU manages it. */
export const arm64Entry = (level: Level, raw: bigint): DecodedEntry => {
  const present = (raw & VALID) !== 0n;
  const leaf = level === 'pte' || (present && (raw & TABLE) === 0n);
  const readOnly = leaf
    ? (raw & READ_ONLY) !== 0n && (raw & DIRTY_MODIFIER) === 0n
    : (raw & READ_ONLY_TABLE) !== 0n;
  const never = leaf ? (raw & PXN) !== 0n : (raw & PXN_TABLE) !== 0n;
  return {
    level,
    raw,
    present,
    leaf,
    writable: !readOnly,
    executable: !never,
    pfn: raw === 0n ? null : Number((raw & FRAME) >> 12n),
    flags: [
      ...(present ? ['VALID'] : []),
      ...(leaf ? LEAF_FLAGS : TABLE_FLAGS).filter(([bit]) => (raw & bit) !== 0n).map(([, name]) => name),
      ...(leaf && level !== 'pte' ? ['block'] : []),
    ],
  };
};

/** Bits that one level translates: 9 with 4K pages, 11 with 16K, 13 with 64K. */
export const arm64LevelShift = (level: Level, granule: number): number => {
  const stride = granule - 3;
  const below = { pte: 0, pmd: 1, pud: 2, p4d: 3, pgd: 4 }[level];
  return granule + stride * below;
};
