/**
 * Which pages and blocks the events of a segment may have changed: with it, whoever asks for the past of some bytes reads only the segments that can hold it.
 * True more often than needed, never too seldom: every event that `concerns` (replay/touches.ts) accepts for a page marks it. And what memory
 * knows of these pages and programs after the segment, so that the next one can be read without the rest of memory.
 */
import { extentOf } from '../codec/extent.js';
import { KINDS, type Event } from '../event/event.js';
import { Space } from '../event/pages.js';
import { BLOCKS_PER_PAGE } from '../memory/content.js';
import { Memory, NO_FRAME } from '../memory/memory.js';
import { PageTable } from '../memory/pageTable.js';
import { REDUCER_VERSION } from '../memory/snapshot.js';
import { SparseMap } from '../memory/sparse.js';
import { Address } from '../value/address.js';
import { encodeImages } from './pageImage.js';
import { encodeProgram, symbolsOf } from './programImage.js';
import { blocksMeet, encodeBlocks } from './touchedBlocks.js';

/** To be raised when the columns of the tables that keep it, or what is in them, become others. */
const FORM = 2;
/** Of these tables: images say what the reducer made of the events. */
export const TOUCHED_VERSION = FORM * 1000 + REDUCER_VERSION;
export const NODE = 512;
/** Stands for every page: an event that may have changed more than can be listed. */
export const EVERY_NODE = -1;
const MOST_PAGES = 2 ** 18;

/** Pages of 512 in a row that a run of events may have changed. */
export interface TouchedNode {
  /** Page divided by 512; `EVERY_NODE`: all pages there are. */
  readonly node: number;
  /** First event of the run. */
  readonly first: number;
  /** Last event of the run. */
  readonly last: number;
  /** Pages of which all may have changed: permission, leaf, frame, alias, area. The bytes of the bitmap before these are zero. Bit `page % 8` of byte `page % 512 / 8`. */
  readonly skip: number;
  readonly bits: Uint8Array;
  /** Runs of 64-byte blocks whose content or program may have changed (`encodeBlocks`). */
  readonly blocks: Uint8Array;
  /** What is known of all these pages after the run (`encodeImages`). */
  readonly images: Uint8Array;
}

/** A program that a run of events changed, and that is there after it. */
export interface TouchedProgram {
  readonly number: number;
  /** Last event of the run. */
  readonly last: number;
  /** `encodeProgram`. */
  readonly bytes: Uint8Array;
}

export interface Touched {
  readonly nodes: readonly TouchedNode[];
  readonly programs: readonly TouchedProgram[];
}

export interface TouchTracker {
  /** To be told of every event in order. */
  readonly after: (event: Event) => void;
  /** What was touched since the last time. Memory is that after the last event told. */
  readonly take: () => Touched;
}

interface PageRun {
  readonly page: number;
  readonly pages: number;
}

/** What is asked about: pages of which all counts, and bytes in them whose content and programs count. */
export interface Place {
  readonly first: number;
  readonly end: number;
  readonly start: Address;
  readonly bytes: number;
}

const STILL: ReadonlySet<string> = new Set(
  KINDS.filter(({ changesMemory }) => !changesMemory).map(({ kind }) => kind),
);
const BYTES = NODE / 8;
const BLOCK_BITS = 6;
const NO_BYTES = new Uint8Array(0);

const newMarks = (): Marks => ({ bits: new Uint8Array(BYTES), any: new Uint8Array(BYTES), blocks: [] });

const mark = (bits: Uint8Array, slot: number): void => {
  bits[slot >> 3] = (bits[slot >> 3] as number) | (1 << (slot & 7));
};

const slotsOf = (bits: Uint8Array): readonly number[] => {
  const slots: number[] = [];
  for (let slot = 0; slot < NODE; slot++)
    if ((((bits[slot >> 3] as number) >> (slot & 7)) & 1) === 1) slots.push(slot);
  return slots;
};

const pagesOf = (at: Address, bytes: number): PageRun => ({
  page: at.page,
  pages: Address.add(at, Math.max(bytes, 1) - 1).page - at.page + 1,
});

/** One node while a run of events goes on. */
interface Marks {
  /** Pages that are marked as a whole. */
  readonly bits: Uint8Array;
  /** Pages with any mark. */
  readonly any: Uint8Array;
  /** First and last block of runs, as they came. */
  readonly blocks: number[];
}

interface Bytes {
  readonly at: Address;
  readonly bytes: number;
}

class Tracker implements TouchTracker {
  readonly #memory: () => Memory;
  #nodes = new Map<number, Marks>();
  #first = 0;
  #last = 0;
  #node = -2;
  #marks: Marks = newMarks();
  /** Frame (pfn or name) → the page that it backs, or backed last. */
  readonly #backs = new Map<number, number>();
  readonly #areas = new Map<number, number>();
  readonly #lazy = new Set<number>();
  readonly #packs = new Set<number>();
  readonly #programs = new Map<number, Bytes>();
  /** Numbers of the programs that have bytes in a page. */
  readonly #inPage = new Map<number, readonly number[]>();
  #changed = new Set<number>();

  constructor(memory: () => Memory) {
    this.#memory = memory;
    const start = memory();
    for (const [page, node, slot] of PageTable.pages(start.virtual))
      this.#back(node.frame[slot] as number, page);
    for (const [name, page] of SparseMap.entries(start.names)) this.#back(-name, page);
    for (const area of Memory.areas(start)) {
      this.#areas.set(area.start, area.pages);
      if (area.state === 'lazy') this.#lazy.add(area.start);
      for (const [i, frame] of area.frames?.entries() ?? [])
        if (!this.#backs.has(frame)) this.#back(frame, area.start + i);
    }
    for (const pack of start.packs) this.#packs.add(pack.start);
    for (const { number, chunk, bytes } of Memory.programs(start)) this.#addProgram(number, chunk, bytes);
  }

  after(event: Event): void {
    if (this.#first === 0) this.#first = event.seq;
    this.#last = event.seq;
    switch (event.kind) {
      case 'entered':
      case 'returned':
      case 'chosen':
        return;
      case 'mapped': {
        const step = event.frame < 0 ? -1 : 1;
        if (event.frame !== NO_FRAME)
          for (let i = 0; i < event.pages; i++) {
            const frame = event.frame + step * i;
            this.#touchFrame(frame);
            this.#back(frame, event.page + i);
          }
        break;
      }
      case 'identified':
        for (let i = 0; i < event.pages; i++) {
          this.#touchFrame(event.frame - i);
          this.#touchFrame(event.page + i);
          const page = this.#backs.get(event.frame - i);
          this.#backs.delete(event.frame - i);
          if (page !== undefined) this.#back(event.page + i, page);
        }
        return;
      case 'direct-mapped':
        return this.#touchFrames(event.page, event.pages);
      case 'leaf-known':
        return this.#touchFrames(event.page - (event.page % NODE), NODE);
      case 'permission':
        if (event.space === Space.direct) return this.#touchFrames(event.page, event.pages);
        break;
      case 'split':
      case 'collapsed':
        if (event.space === Space.direct)
          return this.#touchFrames(event.page, 2 ** (Math.max(event.from, event.to) - 12));
        break;
      case 'content':
      case 'word-seen':
        return this.#touchFrame(event.frame);
      case 'area-allocated':
        this.#forgetAreas(event.start, event.pages);
        this.#areas.set(event.start, event.pages);
        break;
      case 'area-freed':
        this.#lazy.add(event.start);
        return this.#touch(event.start, this.#areas.get(event.start) ?? 1);
      case 'area-flagged':
      case 'frames-released':
        return this.#touch(event.start, this.#areas.get(event.start) ?? 1);
      case 'areas-purged':
        for (const start of this.#lazy)
          if (event.pages === 0 || (start >= event.start && start < event.start + event.pages)) {
            this.#touch(start, this.#areas.get(start) ?? 1);
            this.#lazy.delete(start);
          }
        break;
      case 'gap':
        // What was known of any page may be otherwise since.
        this.#marksOf(EVERY_NODE).bits[0] = 1;
        return;
      case 'pack-created':
        this.#packs.add(event.start);
        break;
      case 'pack-removed':
        this.#packs.delete(event.start);
        break;
      case 'pack-marked':
        if (event.start === 0) for (const start of this.#packs) this.#touch(start, 1);
        break;
      case 'copied':
      case 'filled':
        return this.#touchBytes(event.to, event.length);
      case 'seen':
        return this.#touchBytes(event.at, 4);
      case 'chunk-allocated':
      case 'chunk-freed':
        return this.#touchBytes(event.at, event.bytes);
      case 'program-allocated':
        this.#addProgram(event.program, event.chunk, event.bytes);
        return this.#touchProgram(event.program);
      case 'program-freed':
        this.#touchProgram(event.program);
        return this.#dropProgram(event.program);
      case 'program-placed':
      case 'published':
        this.#touchProgram(event.program);
        break;
      case 'program-finalized':
      case 'program-joined':
        return this.#touchProgram(event.program);
      case 'unpublished':
        // Whose symbol it was, memory does not say any more.
        for (const number of this.#inPage.get(event.start.page) ?? [])
          if (this.#holds(number, event.start)) this.#touchProgram(number);
        break;
      default:
        if (STILL.has(event.kind)) return;
        break;
    }
    const extent = extentOf(event);
    if (extent === null) return;
    if (event.kind === 'program-placed' || event.kind === 'published' || event.kind === 'unpublished')
      return this.#touchBytes(extent.address, extent.bytes ?? 1);
    const { page, pages } = pagesOf(extent.address, extent.bytes ?? 1);
    this.#touch(page, pages);
  }

  take(): Touched {
    const memory = this.#memory();
    const inPage = (page: number): readonly number[] => this.#inPage.get(page) ?? [];
    const nodes = Array.from(this.#nodes, ([node, { bits: all, any, blocks }]): TouchedNode => {
      let skip = 0;
      while (skip < BYTES && all[skip] === 0) skip++;
      let end = BYTES;
      while (end > skip && all[end - 1] === 0) end--;
      return {
        node,
        first: this.#first,
        last: this.#last,
        skip,
        bits: all.slice(skip, end),
        blocks: encodeBlocks(blocks),
        images: node === EVERY_NODE ? NO_BYTES : encodeImages(memory, node * NODE, slotsOf(any), inPage),
      };
    });
    const programs: TouchedProgram[] = [];
    for (const number of this.#changed) {
      const program = Memory.program(memory, number);
      if (program === null) continue;
      const bytes = encodeProgram({ program, symbols: symbolsOf(memory, program) });
      programs.push({ number, last: this.#last, bytes });
    }
    this.#nodes = new Map();
    this.#node = -2;
    this.#first = 0;
    this.#changed = new Set();
    return { nodes, programs };
  }

  #addProgram(number: number, at: Address, bytes: number): void {
    this.#programs.set(number, { at, bytes });
    const { page, pages } = pagesOf(at, bytes);
    for (let i = page; i < page + pages; i++) this.#inPage.set(i, [...(this.#inPage.get(i) ?? []), number]);
  }

  #dropProgram(number: number): void {
    const own = this.#programs.get(number);
    if (own === undefined) return;
    this.#changed.delete(number);
    this.#programs.delete(number);
    const { page, pages } = pagesOf(own.at, own.bytes);
    for (let i = page; i < page + pages; i++) {
      const left = (this.#inPage.get(i) ?? []).filter((other) => other !== number);
      if (left.length === 0) this.#inPage.delete(i);
      else this.#inPage.set(i, left);
    }
  }

  #holds(number: number, address: Address): boolean {
    const own = this.#programs.get(number);
    const into = own === undefined ? -1 : Address.minus(address, own.at);
    return own !== undefined && into >= 0 && into < own.bytes;
  }

  #touchProgram(number: number): void {
    const own = this.#programs.get(number);
    if (own === undefined) return;
    this.#changed.add(number);
    this.#touchBytes(own.at, own.bytes);
  }

  #back(frame: number, page: number): void {
    if (frame !== NO_FRAME) this.#backs.set(frame, page);
  }

  #forgetAreas(start: number, pages: number): void {
    for (const other of this.#lazy) {
      const size = this.#areas.get(other) ?? 1;
      if (other >= start + pages || other + size <= start) continue;
      this.#touch(other, size);
      this.#lazy.delete(other);
    }
  }

  #touchFrame(frame: number): void {
    const page = this.#backs.get(frame);
    if (page !== undefined) this.#touch(page, 1);
  }

  #touchFrames(first: number, count: number): void {
    if (count > this.#backs.size) {
      for (const [frame, page] of this.#backs)
        if (frame >= first && frame < first + count) this.#touch(page, 1);
      return;
    }
    for (let frame = first; frame < first + count; frame++) this.#touchFrame(frame);
  }

  #touch(first: number, pages: number): void {
    if (pages > MOST_PAGES) {
      this.#marksOf(EVERY_NODE).bits[0] = 1;
      return;
    }
    const end = first + pages;
    for (let page = first; page < end; page++) {
      const { bits, any } = this.#marksOf(Math.floor(page / NODE));
      mark(bits, page % NODE);
      mark(any, page % NODE);
    }
  }

  #touchBytes(at: Address, bytes: number): void {
    const { page, pages } = pagesOf(at, bytes);
    if (pages > MOST_PAGES) return this.#touch(page, pages);
    const last = Address.add(at, Math.max(bytes, 1) - 1);
    for (let from = page; from < page + pages;) {
      const node = Math.floor(from / NODE);
      const end = Math.min(page + pages, (node + 1) * NODE);
      const { any, blocks } = this.#marksOf(node);
      blocks.push(
        (from % NODE) * BLOCKS_PER_PAGE + (from === at.page ? at.offset >> BLOCK_BITS : 0),
        ((end - 1) % NODE) * BLOCKS_PER_PAGE +
          (end - 1 === last.page ? last.offset >> BLOCK_BITS : BLOCKS_PER_PAGE - 1),
      );
      for (; from < end; from++) mark(any, from % NODE);
    }
    return undefined;
  }

  #marksOf(node: number): Marks {
    if (node === this.#node) return this.#marks;
    let marks = this.#nodes.get(node);
    if (marks === undefined) {
      marks = newMarks();
      this.#nodes.set(node, marks);
    }
    this.#node = node;
    this.#marks = marks;
    return marks;
  }
}

/** Follows the events of a trace from its beginning: `memory` is first that before its first event. */
export const touchTracker = (memory: () => Memory): TouchTracker => new Tracker(memory);

/** Whether something from `at` on, of so many bytes, is marked: its pages, or blocks of its own. */
export const isTouched = (
  { node, skip, bits, blocks }: Pick<TouchedNode, 'node' | 'skip' | 'bits' | 'blocks'>,
  { first, end, start, bytes }: Place,
): boolean => {
  if (node === EVERY_NODE) return true;
  const from = Math.max(first, node * NODE);
  const stop = Math.min(end, (node + 1) * NODE);
  for (let page = from; page < stop; page++) {
    const slot = page % NODE;
    if ((((bits[(slot >> 3) - skip] ?? 0) >> (slot & 7)) & 1) === 1) return true;
  }
  const last = Address.add(start, Math.max(bytes, 1) - 1);
  const base = node * NODE;
  return blocksMeet(
    blocks,
    (start.page - base) * BLOCKS_PER_PAGE + (start.offset >> BLOCK_BITS),
    (last.page - base) * BLOCKS_PER_PAGE + (last.offset >> BLOCK_BITS),
  );
};
