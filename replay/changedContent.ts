import {
  BLOCK,
  BLOCKS_PER_PAGE,
  Cell,
  CONTENT_CLASSES,
  ContentClass,
  type PageContent,
} from '../core/memory/content.js';
import { frameKey, Memory, NO_FRAME } from '../core/memory/memory.js';
import { NODE_PAGES, PageTable } from '../core/memory/pageTable.js';
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
  readonly memory: Memory;
  readonly contentOf: (key: number) => PageContent | undefined;
  /** What lies in a block, in a word; a program that is gone leaves a leftover. */
  readonly textOf: (cell: number) => string;
}

const sideOf = (memory: Memory, isThere: (program: number) => boolean): Side => {
  let last = -1;
  let text = '';
  return {
    memory,
    contentOf: SparseMap.reader(memory.content),
    textOf: (cell) => {
      if (cell === last) return text;
      const cls = Cell.class(cell);
      last = cell;
      text =
        cls === ContentClass.program && !isThere(Cell.ref(cell))
          ? 'leftover'
          : (CONTENT_CLASSES[cls] ?? 'unknown');
      return text;
    },
  };
};

const LAST_BLOCK = BLOCKS_PER_PAGE - 1;
const NONE: readonly number[] = [];

const NOT_MAPPED = 'not mapped';
const UNKNOWN = 'unknown';

class Runs {
  readonly runs: Run[] = [];
  readonly #a: Side;
  readonly #b: Side;
  readonly #samePrograms: boolean;

  constructor(a: Side, b: Side) {
    this.#a = a;
    this.#b = b;
    this.#samePrograms = a.memory.programs === b.memory.programs;
  }

  /** Looks at a page. Pages come in ascending order; those that are not mapped any more are left out. */
  look(page: number): void {
    const frame = this.#frameAt(this.#b, page);
    const after = frame === null || frame === NO_FRAME ? undefined : this.#b.contentOf(frameKey(frame));
    if (after === undefined) return;
    const frameBefore = this.#frameAt(this.#a, page);
    const before =
      frameBefore === null || frameBefore === NO_FRAME ? undefined : this.#a.contentOf(frameKey(frameBefore));
    if (before === after && this.#samePrograms) return;
    const nothing = frameBefore === null ? NOT_MAPPED : UNKNOWN;
    if (after.uniform && (before === undefined || before.uniform))
      this.#compare(page, 0, BLOCKS_PER_PAGE, before?.cells[0], after.cells[0] as number, nothing);
    else this.#blocks(page, before, after, nothing);
  }

  /** Compares blocks of a page; those that follow each other and are alike before and after at once. */
  #blocks(page: number, before: PageContent | undefined, after: PageContent, nothing: string): void {
    const { cells } = after;
    const old = before === undefined ? NONE : before.cells;
    // Of a page of one kind the first cell stands for all.
    const all = after.uniform ? 0 : LAST_BLOCK;
    const oldAll = before === undefined || before.uniform ? 0 : LAST_BLOCK;
    let first = 0;
    let cell = cells[0] as number;
    let was = old[0];
    for (let block = 1; block < BLOCKS_PER_PAGE; block++) {
      const next = cells[block & all] as number;
      const wasNext = old[block & oldAll];
      if (next === cell && wasNext === was) continue;
      this.#compare(page, first, block - first, was, cell, nothing);
      first = block;
      cell = next;
      was = wasNext;
    }
    this.#compare(page, first, BLOCKS_PER_PAGE - first, was, cell, nothing);
  }

  /** `was`: undefined where nothing was known, which `nothing` says. */
  #compare(
    page: number,
    block: number,
    blocks: number,
    was: number | undefined,
    cell: number,
    nothing: string,
  ): void {
    const from = was === undefined ? nothing : this.#a.textOf(was);
    const to = this.#b.textOf(cell);
    if (from !== to) this.#add(page, block, blocks, from, to);
  }

  /** Frame of a page; null: it is not mapped. */
  #frameAt({ memory }: Side, page: number): number | null {
    const node = PageTable.node(memory.virtual, page);
    const slot = page % NODE_PAGES;
    return node === undefined || node.shift[slot] === 0 ? null : (node.frame[slot] as number);
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
    const node = b.virtual.nodes[index];
    for (let slot = 0; slot < NODE_PAGES; slot++)
      if (node?.shift[slot] !== 0) runs.look(key * NODE_PAGES + slot);
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

/** Of a memory whose programs are not read. */
const sideAlone = (memory: Memory): Side =>
  sideOf(memory, (program) => SparseMap.has(memory.programs, program));

/** The same, looked for only where a diff of two memories says that something was touched. */
export const changedContent = (a: Memory, b: Memory, diff: MemoryDiff): readonly ChangedContent[] => {
  const runs = new Runs(sideAlone(a), sideAlone(b));
  for (const page of [...touchedPages(b, diff)].sort((x, y) => x - y)) runs.look(page);
  return told(runs.runs);
};
