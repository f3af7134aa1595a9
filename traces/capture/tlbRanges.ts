import { Address, type PageNumber } from '../../core/value/address.js';
import type { DumpedRange, PageTableDump } from './pagetable.js';
import type { TlbLeaf } from './tlb.js';

const HUGE_PAGES = 512;
const GIANT_PAGES = 512 * 512;
const PAGE = 4096;

/** Where code lies on x86-64: modules and BPF, below the fixed mappings. */
const CODE_START = Address.fromWords(0xffffffff, 0xa0000000).page;
const CODE_END = Address.fromWords(0xffffffff, 0xff000000).page;
/** The upper half below the kernel's image: the direct map is there, and what vmalloc maps. */
const UPPER_HALF = Address.fromWords(0xff000000, 0).page;

/** Pages of a leaf. `info tlb` marks 2M and 1G alike: 1G where both addresses allow it and the next leaf leaves room. */
const pagesOf = ({ page, phys, large }: TlbLeaf, next: TlbLeaf | undefined): number => {
  if (!large) return 1;
  const fits = page % GIANT_PAGES === 0 && phys % GIANT_PAGES === 0;
  return fits && (next === undefined || next.page - page >= GIANT_PAGES) ? GIANT_PAGES : HUGE_PAGES;
};

const rangeOf = (leaf: TlbLeaf, pages: number): DumpedRange => ({
  start: Address.of(leaf.page),
  end: Address.of((leaf.page + pages) as PageNumber),
  phys: leaf.phys,
  leaf: pages * PAGE,
  present: true,
  writable: leaf.writable,
  executable: !leaf.noExecute,
  dirty: leaf.dirty,
  accessed: leaf.accessed,
  flags: leaf.flags,
});

/** The distance from frame to address that most memory has, in pages: the beginning of the direct map; null: there is none. */
const directBase = (leaves: readonly TlbLeaf[], pages: readonly number[]): number | null => {
  const weight = new Map<number, number>();
  for (const [i, { page, phys }] of leaves.entries()) {
    if (page < UPPER_HALF || page >= CODE_START) continue;
    weight.set(page - phys, (weight.get(page - phys) ?? 0) + (pages[i] ?? 1));
  }
  let best: number | null = null;
  for (const [base, size] of weight) if (best === null || size > (weight.get(best) ?? 0)) best = base;
  return best;
};

/** The page tables that `info tlb` of QEMU's monitor lists, as a dump of them. */
export const tlbRanges = (leaves: readonly TlbLeaf[]): PageTableDump => {
  const pages = leaves.map((leaf, i) => pagesOf(leaf, leaves[i + 1]));
  const base = directBase(leaves, pages);
  const executableArea: DumpedRange[] = [];
  const directMap: DumpedRange[] = [];
  for (const [i, leaf] of leaves.entries()) {
    const range = rangeOf(leaf, pages[i] ?? 1);
    if (leaf.page >= CODE_START && leaf.page < CODE_END) executableArea.push(range);
    else if (base !== null && leaf.page - leaf.phys === base) directMap.push(range);
  }
  return { executableArea, directMap, notPresent: [], formerDirectMap: [] };
};
