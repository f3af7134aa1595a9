import { CHUNK } from '../../core/memory/evolvePacks.js';
import type { Memory } from '../../core/memory/memory.js';
import { Memory as Memories } from '../../core/memory/memory.js';
import { NODE_PAGES, PageTable, UNKNOWN_SHIFT, type PageEntry } from '../../core/memory/pageTable.js';
import { Prot } from '../../core/value/prot.js';
import type { NaivePage } from './naiveCpa.js';
import type { NaiveKernel } from './naiveKernel.js';

const hex = (page: number): string => `0x${page.toString(16)}`;

const protOf = (page: NaivePage): number =>
  (page.present ? Prot.present : 0) |
  (page.writable ? Prot.writable : 0) |
  (page.executable ? Prot.executable : 0) |
  (page.dirty ? Prot.dirty : 0);

const pageText = (prot: number, shift: number, frame?: number): string =>
  `${prot & 1 ? 'P' : '-'}${prot & 2 ? 'W' : '-'}${prot & 4 ? 'X' : '-'}${prot & 8 ? 'D' : '-'}` +
  `${prot & 0xf0 ? '?' : ''} 2^${shift}${frame === undefined ? '' : ` frame ${frame}`}`;

/** Nodes of 512 pages that either side has changed. */
const nodesOf = (before: PageTable, after: PageTable, touched: Set<number>): Set<number> => {
  const nodes = new Set<number>();
  for (const [page] of PageTable.changedNodes(before, after)) nodes.add(page / NODE_PAGES);
  for (const page of touched) nodes.add(Math.floor(page / NODE_PAGES));
  touched.clear();
  return nodes;
};

function* pagesOf(nodes: Set<number>): Generator<number> {
  for (const node of nodes)
    for (let page = node * NODE_PAGES; page < (node + 1) * NODE_PAGES; page++) yield page;
}

/** What of a permission can be compared: only x86 has the dirty bit that the model means, and what is not present has no permission. */
const comparable = (prot: number, x86: boolean): number => {
  if (x86) return prot;
  const bits = prot & ~(Prot.dirty | (Prot.dirty << 4));
  return (bits & Prot.present) === 0 ? 0 : bits;
};

const isX86 = ({ options }: NaiveKernel): boolean => options.arch === undefined || options.arch.x86;

const virtualDifference = (
  entry: PageEntry | null,
  page: (NaivePage & { frame: number }) | undefined,
  x86: boolean,
): string | null => {
  if (entry === null || page === undefined)
    return entry === null && page === undefined ? null : `core ${entry === null ? 'unmapped' : 'mapped'}`;
  // A frame that has only a name so far cannot be compared.
  const frame = entry.frame < -1 ? page.frame : entry.frame;
  if (
    comparable(entry.prot, x86) === comparable(protOf(page), x86) &&
    entry.shift === page.shift &&
    frame === page.frame
  )
    return null;
  return `core ${pageText(entry.prot, entry.shift, entry.frame)}, naive ${pageText(protOf(page), page.shift, page.frame)}`;
};

const directDifference = (memory: Memory, naive: NaiveKernel, pfn: number): string | null => {
  const entry = Memories.alias(memory, pfn);
  const known = naive.cpa.direct.get(pfn);
  const prot = entry?.prot ?? Prot.kernel;
  const expected = known === undefined ? Prot.kernel : protOf(known);
  const region = Memories.aliasLeaf(memory, pfn);
  const leaf = known?.shift ?? naive.cpa.leaf(pfn);
  const shift = entry === null || entry.shift === UNKNOWN_SHIFT ? region : entry.shift;
  const x86 = isX86(naive);
  if (
    comparable(prot, x86) === comparable(expected, x86) &&
    (shift === 0 || shift === leaf) &&
    // A region is 2 MiB: where leaves are smaller than that it says nothing of a page that has a leaf of its own.
    (region === 0 || region === leaf || (!x86 && shift === leaf))
  )
    return null;
  return `core ${pageText(prot, shift)} (region 2^${region}), naive ${pageText(expected, leaf)}`;
};

const bitmapDifference = (before: Memory, memory: Memory, naive: NaiveKernel): string | null => {
  const starts = memory.packs.map((pack) => hex(pack.start)).join(' ');
  const expected = naive.packs.packs.map((pack) => hex(pack.start)).join(' ');
  if (starts !== expected) return `packs: core ${starts || 'none'}, naive ${expected || 'none'}`;
  for (const [i, pack] of memory.packs.entries()) {
    if (before.packs.includes(pack) && !naive.packs.touched.has(pack.start)) continue;
    const taken = naive.packs.packs[i]?.taken ?? [];
    if (pack.bytes !== taken.length * CHUNK) return `pack ${hex(pack.start)}: core ${pack.bytes} bytes`;
    let used = 0;
    for (let chunk = 0; chunk < taken.length; chunk++) {
      const bit = taken[chunk] as boolean;
      const ours = ((pack.used[chunk >>> 5] as number) & (1 << (chunk & 31))) !== 0;
      if (ours !== bit) return `pack ${hex(pack.start)} chunk ${chunk}: core ${ours}, naive ${bit}`;
      if (bit) used++;
    }
    if (pack.usedChunks !== used)
      return `pack ${hex(pack.start)}: core counts ${pack.usedChunks}, naive ${used}`;
  }
  naive.packs.touched.clear();
  return null;
};

/** The first difference between a memory that core made and the naive models, or null. Pages: those changed since `before`. */
export const difference = (before: Memory, memory: Memory, naive: NaiveKernel): string | null => {
  const { cpa, vmalloc } = naive;
  const bitmaps = bitmapDifference(before, memory, naive);
  if (bitmaps !== null) return bitmaps;
  const areas = [...Memories.areas(memory)]
    .map((a) => `${hex(a.start)}+${a.pages} ${a.state} ${(a.flags & 0x100) !== 0 ? 'resets' : 'plain'}`)
    .join(', ');
  const expected = vmalloc.areas
    .map((a) => `${hex(a.start)}+${a.pages} ${a.lazy ? 'lazy' : 'live'} ${a.resets ? 'resets' : 'plain'}`)
    .join(', ');
  if (areas !== expected) return `areas: core ${areas}; naive ${expected}`;
  for (const page of pagesOf(nodesOf(before.virtual, memory.virtual, cpa.touched.pages))) {
    const found = virtualDifference(
      Memories.page(memory, page),
      cpa.pages.get(page),
      naive.options.arch === undefined,
    );
    if (found !== null) return `page ${hex(page)}: ${found}`;
  }
  for (const pfn of pagesOf(nodesOf(before.direct, memory.direct, cpa.touched.direct))) {
    const found = directDifference(memory, naive, pfn);
    if (found !== null) return `direct map of frame ${hex(pfn)}: ${found}`;
  }
  const { counters } = memory;
  if (counters.level2Splits !== cpa.level2Splits || counters.level3Splits !== cpa.level3Splits)
    return `splits: core ${counters.level2Splits}/${counters.level3Splits}, naive ${cpa.level2Splits}/${cpa.level3Splits}`;
  if (counters.level2Collapses !== 0) return `collapses of the direct map: core ${counters.level2Collapses}`;
  if (memory.charged !== naive.charged) return `charged: core ${memory.charged}, naive ${naive.charged}`;
  return null;
};
