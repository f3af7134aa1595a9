import { BLOCK, BLOCKS_PER_PAGE, Cell, CONTENT_CLASSES, ContentClass } from '../core/memory/content.js';
import { contentRuns, runsOfPage } from '../core/memory/contentRuns.js';
import { frameKey, Memory, NO_FRAME } from '../core/memory/memory.js';
import { NODE_PAGES, PageTable, type PageNode } from '../core/memory/pageTable.js';
import { SparseMap } from '../core/memory/sparse.js';
import { Address } from '../core/value/address.js';
import type { MemoryDiff } from './diffStates.js';
import { found, type Found } from './found.js';
import type { KnownPrograms } from './programs.js';

/** Bytes of virtual memory whose content became another. */
export interface ChangedContent {
  readonly start: string;
  readonly bytes: number;
  readonly from: string;
  readonly to: string;
}

/** Blocks counted from the first one of `page`. */
interface Run {
  readonly page: number;
  readonly block: number;
  blocks: number;
  readonly from: string;
  readonly to: string;
}

/** A memory whose pages are looked at one after the other. */
interface Side {
  /** Finds the runs of a page by the key of its frame; false: nothing is known of it. */
  readonly find: (key: number) => boolean;
  cell: ArrayLike<number>;
  /** Block after each run. */
  end: ArrayLike<number>;
  /** First run of the page found. */
  first: number;
  /** What lies in a block, in a word; a program that is gone leaves a leftover. */
  readonly textOf: (cell: number) => string;
}

const NO_RUNS: readonly number[] = [];

const wordsOf = (isThere: (program: number) => boolean): Side['textOf'] => {
  let last = -1;
  let text = '';
  return (cell) => {
    if (cell === last) return text;
    const cls = Cell.class(cell);
    last = cell;
    text =
      cls === ContentClass.program && !isThere(Cell.ref(cell))
        ? 'leftover'
        : (CONTENT_CLASSES[cls] ?? 'unknown');
    return text;
  };
};

/** Of which every page is asked for. */
const sideOf = ({ content }: Memory, isThere: (program: number) => boolean): Side => {
  const runs = contentRuns(content);
  const side: Side = {
    find: (key) => {
      const place = runs.placeOf(key);
      if (place >= 0) side.first = runs.first[place] as number;
      return place >= 0;
    },
    cell: runs.cell,
    end: runs.end,
    first: 0,
    textOf: wordsOf(isThere),
  };
  return side;
};

/** Of which few pages are asked for. */
const sideAlone = ({ content, programs }: Memory): Side => {
  const side: Side = {
    find: (key) => {
      const page = SparseMap.get(content, key);
      if (page !== undefined) ({ cell: side.cell, end: side.end } = runsOfPage(page));
      return page !== undefined;
    },
    cell: NO_RUNS,
    end: NO_RUNS,
    first: 0,
    textOf: wordsOf((program) => SparseMap.has(programs, program)),
  };
  return side;
};

const NOT_MAPPED = 'not mapped';
const UNKNOWN = 'unknown';

/** Frame of a page; null: it is not mapped. */
const frameIn = (node: PageNode | undefined, slot: number): number | null =>
  node === undefined || node.shift[slot] === 0 ? null : (node.frame[slot] as number);

const find = (side: Side, frame: number | null): boolean =>
  frame !== null && frame !== NO_FRAME && side.find(frameKey(frame));

class Runs {
  readonly runs: Run[] = [];
  readonly #a: Side;
  readonly #b: Side;

  constructor(a: Side, b: Side) {
    this.#a = a;
    this.#b = b;
  }

  /** Looks at a page of two memories. Pages come in ascending order; those that are not mapped any more are left out. */
  look(page: number, before: PageNode | undefined, after: PageNode | undefined): void {
    const [a, b] = [this.#a, this.#b];
    const slot = page % NODE_PAGES;
    if (!find(b, frameIn(after, slot))) return;
    const frame = frameIn(before, slot);
    const known = find(a, frame);
    const nothing = frame === null ? NOT_MAPPED : UNKNOWN;
    let was = a.first;
    let is = b.first;
    for (let block = 0; block < BLOCKS_PER_PAGE;) {
      const end = b.end[is] as number;
      const until = known ? Math.min(end, a.end[was] as number) : end;
      const from = known ? a.textOf(a.cell[was] as number) : nothing;
      const to = b.textOf(b.cell[is] as number);
      if (from !== to) this.#add(page, block, until - block, from, to);
      if (known && a.end[was] === until) was++;
      if (end === until) is++;
      block = until;
    }
  }

  #add(page: number, block: number, blocks: number, from: string, to: string): void {
    const last = this.runs.at(-1);
    if (
      last !== undefined &&
      last.from === from &&
      last.to === to &&
      (page - last.page) * BLOCKS_PER_PAGE + block === last.block + last.blocks
    )
      last.blocks += blocks;
    else this.runs.push({ page, block, blocks, from, to });
  }
}

const told = (runs: readonly Run[]): readonly ChangedContent[] =>
  runs.map(({ page, block, blocks, from, to }) => ({
    start: Address.toText(Address.of(page, block * BLOCK)),
    bytes: blocks * BLOCK,
    from,
    to,
  }));

/** Virtual memory in which something of another kind lies than before. */
export const differentContent = (
  a: Memory,
  b: Memory,
  knownA: KnownPrograms,
  knownB: KnownPrograms,
): Found<ChangedContent> => {
  const inA = sideOf(a, (program) => knownA.numbers.has(program));
  const inB = sideOf(b, (program) => knownB.numbers.has(program));
  const runs = new Runs(inA, inB);
  for (const [index, key] of b.virtual.keys.entries()) {
    const after = b.virtual.nodes[index] as PageNode;
    const before = PageTable.node(a.virtual, key * NODE_PAGES);
    for (let slot = 0; slot < NODE_PAGES; slot++)
      if (after.shift[slot] !== 0) runs.look(key * NODE_PAGES + slot, before, after);
  }
  return found(runs.runs.length, () => told(runs.runs));
};

/** Virtual page at which a frame is mapped; null: nowhere. */
const pageOf = (memory: Memory, frame: number): number | null => {
  const page = frame < 0 ? SparseMap.get(memory.names, -frame) : Memory.alias(memory, frame)?.frame;
  return page === undefined || page < 0 || Memory.page(memory, page)?.frame !== frame ? null : page;
};

/** Pages of the later memory in which something may lie that did not lie there before. */
const touchedPages = (b: Memory, diff: MemoryDiff): ReadonlySet<number> => {
  const pages = new Set<number>();
  for (const part of [diff.content.added, diff.content.changed])
    for (const frame of part.keys()) {
      const page = pageOf(b, frame);
      if (page !== null) pages.add(page);
    }
  for (const page of diff.pages.added.keys()) pages.add(page);
  for (const [page, [from, to]] of diff.pages.changed) if (from.frame !== to.frame) pages.add(page);
  // Programs that went turn what they wrote into leftovers.
  for (const { chunk, bytes } of diff.programs.removed.values()) {
    const last = Address.add(chunk, bytes - 1).page;
    for (let page: number = chunk.page; page <= last; page++) pages.add(page);
  }
  return pages;
};

/** The same, looked for only where a diff of two memories says that something was touched. */
export const changedContent = (a: Memory, b: Memory, diff: MemoryDiff): readonly ChangedContent[] => {
  const runs = new Runs(sideAlone(a), sideAlone(b));
  for (const page of [...touchedPages(b, diff)].sort((x, y) => x - y))
    runs.look(page, PageTable.node(a.virtual, page), PageTable.node(b.virtual, page));
  return told(runs.runs);
};
