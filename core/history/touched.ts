/**
 * Which pages the events of a segment may have changed: with it, whoever asks for the past of some pages reads only the segments that can hold it. True more
 * often than needed, never too seldom: every event that `mayTouch` (replay/touches.ts) accepts for a page marks it.
 */
import { extentOf } from '../codec/extent.js';
import { KINDS, type Event } from '../event/event.js';
import { Space } from '../event/pages.js';
import { Memory, NO_FRAME } from '../memory/memory.js';
import { PageTable } from '../memory/pageTable.js';
import { SparseMap } from '../memory/sparse.js';
import { Address } from '../value/address.js';

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
  /** The bytes of the bitmap before these are zero. Bit `page % 8` of byte `page % 512 / 8`. */
  readonly skip: number;
  readonly bits: Uint8Array;
}

export interface TouchTracker {
  /** To be told of every event in order. */
  readonly after: (event: Event) => void;
  /** What was touched since the last time. */
  readonly take: () => readonly TouchedNode[];
}

interface PageRun {
  readonly page: number;
  readonly pages: number;
}

const STILL: ReadonlySet<string> = new Set(
  KINDS.filter(({ changesMemory }) => !changesMemory).map(({ kind }) => kind),
);
const BYTES = NODE / 8;

const pagesOf = (at: Address, bytes: number): PageRun => ({
  page: at.page,
  pages: Address.add(at, Math.max(bytes, 1) - 1).page - at.page + 1,
});

class Tracker implements TouchTracker {
  #nodes = new Map<number, Uint8Array>();
  #first = 0;
  #last = 0;
  #node = -2;
  #bits: Uint8Array = new Uint8Array(0);
  /** Frame (pfn or name) → the page that it backs, or backed last. */
  readonly #backs = new Map<number, number>();
  readonly #areas = new Map<number, number>();
  readonly #lazy = new Set<number>();
  readonly #packs = new Set<number>();
  readonly #programs = new Map<number, PageRun>();

  constructor(start: Memory) {
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
    for (const { number, chunk, bytes } of Memory.programs(start))
      this.#programs.set(number, pagesOf(chunk, bytes));
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
        this.#bitsOf(EVERY_NODE)[0] = 1;
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
      case 'program-allocated':
        this.#programs.set(event.program, pagesOf(event.chunk, event.bytes));
        break;
      case 'program-freed':
      case 'program-finalized':
      case 'program-joined':
      case 'program-placed':
      case 'published': {
        const run = this.#programs.get(event.program);
        if (run !== undefined) this.#touch(run.page, run.pages);
        if (event.kind === 'program-freed') this.#programs.delete(event.program);
        break;
      }
      default:
        if (STILL.has(event.kind)) return;
        break;
    }
    const extent = extentOf(event);
    if (extent === null) return;
    const { page, pages } = pagesOf(extent.address, extent.bytes ?? 1);
    this.#touch(page, pages);
  }

  take(): readonly TouchedNode[] {
    const list = Array.from(this.#nodes, ([node, all]): TouchedNode => {
      let skip = 0;
      while (all[skip] === 0) skip++;
      let end = BYTES;
      while (end > skip && all[end - 1] === 0) end--;
      return { node, first: this.#first, last: this.#last, skip, bits: all.slice(skip, end) };
    });
    this.#nodes = new Map();
    this.#node = -2;
    this.#first = 0;
    return list;
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
      this.#bitsOf(EVERY_NODE)[0] = 1;
      return;
    }
    const end = first + pages;
    for (let page = first; page < end; page++) {
      const bits = this.#bitsOf(Math.floor(page / NODE));
      const slot = page % NODE;
      bits[slot >> 3] = (bits[slot >> 3] as number) | (1 << (slot & 7));
    }
  }

  #bitsOf(node: number): Uint8Array {
    if (node === this.#node) return this.#bits;
    let bits = this.#nodes.get(node);
    if (bits === undefined) {
      bits = new Uint8Array(BYTES);
      this.#nodes.set(node, bits);
    }
    this.#node = node;
    this.#bits = bits;
    return bits;
  }
}

/** Follows the events of a trace from its beginning: from the memory before its first event. */
export const touchTracker = (start: Memory): TouchTracker => new Tracker(start);

/** Whether one of the pages from `first` to before `end` is marked. */
export const isTouched = (
  { node, skip, bits }: Pick<TouchedNode, 'node' | 'skip' | 'bits'>,
  first: number,
  end: number,
): boolean => {
  if (node === EVERY_NODE) return true;
  const from = Math.max(first, node * NODE);
  const stop = Math.min(end, (node + 1) * NODE);
  for (let page = from; page < stop; page++) {
    const slot = page % NODE;
    if ((((bits[(slot >> 3) - skip] ?? 0) >> (slot & 7)) & 1) === 1) return true;
  }
  return false;
};
