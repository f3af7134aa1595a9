import { Space } from '../core/event/pages.js';
import { Memory, NO_FRAME } from '../core/memory/memory.js';
import { BACKED_EXECUTABLE, PageTable, UNKNOWN_SHIFT, type PageNode } from '../core/memory/pageTable.js';
import { pageText } from '../core/value/address.js';
import { Prot } from '../core/value/prot.js';

/** Virtual pages that look alike and, where that is known, lie one behind the other in physical memory. */
export interface MappedRange {
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
  /** Leaf size in bytes; null where it is not known. */
  readonly page_size: number | null;
  /** `r w x`, `-` for no, `?` for unknown. */
  readonly prot: string;
  /** Physical address of the first page; null where it is not known. */
  readonly phys: string | null;
}

/** The same in the direct map. `start` and `end` are null while it is not known where the direct map begins. */
export interface AliasRange extends Omit<MappedRange, 'start' | 'end'> {
  readonly start: string | null;
  readonly end: string | null;
  /** Virtual address of the first page that these frames back now; null: none. */
  readonly backs: string | null;
}

/** A range of the direct map whose place is known. */
export interface PlacedAlias extends AliasRange {
  readonly start: string;
  readonly end: string;
}

export const isPlaced = (range: AliasRange): range is PlacedAlias =>
  range.start !== null && range.end !== null;

/** Texts of all permission bits: pages are many, texts few. */
const TEXTS: readonly string[] = Array.from({ length: 256 }, (_, bits) => Prot.toText(bits));
export const protText = (bits: number): string => TEXTS[bits] as string;

/** A run of pages of one table, in page numbers. */
export interface PageRun {
  readonly page: number;
  pages: number;
  readonly prot: string;
  readonly shift: number;
  /** Virtual: pfn, or -1 where it is not known. Direct map: virtual page backed, or -1. */
  readonly frame: number;
}

/** Maximal runs of pages with the same permission and leaf size whose frames (where known) follow each other. */
export function* pageRuns(
  table: PageTable,
  keep: (page: number, node: PageNode, slot: number) => boolean,
  start = 0,
  end = Infinity,
): Generator<PageRun> {
  let run: PageRun | null = null;
  let bits = -1;
  for (const [page, node, slot] of PageTable.pages(table, start, end)) {
    if (!keep(page, node, slot)) continue;
    const own = node.prot[slot] as number;
    const shift = node.shift[slot] as number;
    const frame = Math.max(node.frame[slot] as number, NO_FRAME);
    if (
      run !== null &&
      run.page + run.pages === page &&
      run.shift === shift &&
      frame === (run.frame < 0 ? NO_FRAME : run.frame + run.pages) &&
      (own === bits || protText(own) === run.prot)
    ) {
      run.pages++;
      continue;
    }
    if (run !== null) yield run;
    bits = own;
    run = { page, pages: 1, prot: protText(own), shift, frame };
  }
  if (run !== null) yield run;
}

export const sizeOf = (shift: number): number | null => (shift <= UNKNOWN_SHIFT ? null : 2 ** shift);

const NO_GUARD = 0x40;

/** Whether areas of these flags end with a guard page (VM_NO_GUARD is not set). */
export const hasGuard = (flags: number): boolean => (flags & NO_GUARD) === 0;

/** Guard pages that have an entry all the same: a permission change went over them. */
const guardPages = (memory: Memory): ReadonlySet<number> => {
  const guards = new Set<number>();
  for (const area of Memory.areas(memory)) {
    const last = area.start + area.pages - 1;
    if (hasGuard(area.flags) && Memory.page(memory, last) !== null) guards.add(last);
  }
  return guards;
};

export const mappedRange = (run: PageRun): MappedRange => ({
  start: pageText(run.page),
  end: pageText(run.page + run.pages),
  page_size: sizeOf(run.shift),
  prot: run.prot,
  phys: run.frame < 0 ? null : pageText(run.frame),
});

/** `base`: first page of the direct map, 0 where it is not known. */
export const aliasRange = (run: PageRun, base: number): AliasRange => ({
  start: base === 0 ? null : pageText(base + run.page),
  end: base === 0 ? null : pageText(base + run.page + run.pages),
  page_size: sizeOf(run.shift),
  prot: run.prot,
  phys: pageText(run.page),
  backs: run.frame < 0 ? null : pageText(run.frame),
});

/** Runs of a space as the outputs show them: no guard pages; of the direct map only what is of interest. */
export const shownRuns = (memory: Memory, space: Space): Generator<PageRun> => {
  if (space === Space.virtual) {
    const guards = guardPages(memory);
    return pageRuns(memory.virtual, (page) => !guards.has(page));
  }
  return pageRuns(
    memory.direct,
    (_, node, slot) =>
      (node.frame[slot] as number) >= 0 ||
      ((node.mark[slot] as number) & BACKED_EXECUTABLE) !== 0 ||
      protText(node.prot[slot] as number) !== 'rw-',
  );
};

/** All mappings that are known. */
export const mappings = (memory: Memory): readonly MappedRange[] =>
  Array.from(shownRuns(memory, Space.virtual), mappedRange);

/** Direct-map pages that back a mapping, that ever backed an executable one, or that are not `rw-`. */
export const directMap = (memory: Memory): readonly AliasRange[] =>
  Array.from(shownRuns(memory, Space.direct), (run) => aliasRange(run, memory.directBase));
