/** The page-table line of an oops as one translation: what all levels together allow. */
import { Prot } from '../value/prot.js';
import { arm64Entry, arm64LevelShift } from './arm64.js';
import type { Access, DecodedEntry, Level, LevelEntry, Oops, Translation } from './oops.js';
import { x86Entry, x86LevelShift } from './x86.js';

const unreadable = (level: Level): DecodedEntry => ({
  level,
  raw: null,
  present: null,
  leaf: false,
  writable: false,
  executable: false,
  pfn: null,
  flags: ['BAD'],
});

/** A level that the architecture folds away is printed as 0 above entries that are there (arm64). */
const isFolded = (entries: readonly LevelEntry[], index: number): boolean =>
  entries[index]?.raw === 0n && entries.slice(index + 1).some(({ raw }) => raw !== null && raw !== 0n);

/** Null without a page-table line. */
export const translationOf = (oops: Oops): Translation | null => {
  const { arch, entries, granule, address } = oops;
  if (entries.length === 0) return null;
  const decode = arch === 'x86_64' ? x86Entry : arm64Entry;
  const shiftOf = (level: Level): number =>
    arch === 'x86_64' ? x86LevelShift(level) : arm64LevelShift(level, granule.shift);
  const levels: DecodedEntry[] = [];
  let present: boolean | null = null;
  let writable = true;
  let executable = true;
  let shift: number | null = null;
  let pfn: number | null = null;
  let dirty = false;
  for (const [index, { level, raw }] of entries.entries()) {
    if (isFolded(entries, index)) continue;
    const entry = raw === null ? unreadable(level) : decode(level, raw);
    levels.push(entry);
    if (entry.present === null) break;
    writable &&= entry.writable;
    executable &&= entry.executable;
    if (!entry.leaf && entry.present) continue;
    present = entry.present;
    if (!entry.leaf) break;
    shift = shiftOf(level);
    dirty = entry.flags.includes('D');
    if (entry.pfn !== null && address !== null) {
      const within = Number((address & ((1n << BigInt(shift)) - 1n)) >> 12n);
      const pages = 2 ** (shift - 12);
      pfn = entry.pfn - (entry.pfn % pages) + within;
    }
    break;
  }
  return { levels, present, writable, executable, dirty, shift, pfn };
};

/** Permission as memory keeps it. */
export const protOf = ({ present, writable, executable, dirty }: Translation): number => {
  if (present === null) return Prot.nothingKnown;
  if (!present) return 0;
  return (
    Prot.present |
    (writable ? Prot.writable : 0) |
    (executable ? Prot.executable : 0) |
    (dirty ? Prot.dirty : 0)
  );
};

/** Whether a translation lets an access of the kernel through; null where the line does not say. */
export const allows = ({ present, writable, executable }: Translation, access: Access): boolean | null => {
  if (present === null) return null;
  if (!present) return false;
  if (access === 'read') return true;
  return access === 'write' ? writable : executable;
};
