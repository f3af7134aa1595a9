/** What addresses lie in while a log is read: looked up in memory, areas by page only once as long as none changes. */
import type { Event, EventKind } from '../../core/event/event.js';
import { folder } from '../../core/memory/evolve.js';
import { Memory } from '../../core/memory/memory.js';
import { codesIn } from './codes.js';
import { Placed } from './shape.js';

/** Events that change no areas and no frames. What programs do is kept apart; contents, charges and bitmaps say nothing of places. */
const NO_AREA: ReadonlySet<EventKind> = new Set([
  'entered',
  'returned',
  'chosen',
  'copied',
  'filled',
  'seen',
  'content',
  'chunk-allocated',
  'chunk-freed',
  'pack-marked',
  'charged',
  'limit-set',
  'program-allocated',
  'program-placed',
  'program-finalized',
  'program-joined',
  'program-freed',
  'published',
  'unpublished',
  'counter',
  'tlb-flushed',
  'icache-flushed',
  'marker',
  'divergence',
  'operation',
  'noted',
  'warned',
]);

const CACHED = 1 << 10;
const MAX_DIRECT_PAGES = 2 ** 34;
const PAGES_OF_HI = 2 ** 20;

export interface Places {
  /** Puts what an address lies in behind its value, from `to` on; gives its form. */
  readonly put: (hi: number, lo: number, slots: Float64Array, to: number) => number;
  /** What it does to areas, frames and programs is known from here on. */
  readonly take: (event: Event) => void;
  /** Leaf shift of the direct-map region around a frame; 0 where it is not known. */
  readonly aliasLeaf: (pfn: number) => number;
}

/** An area is named by the event that made it, one that was there before by its first page, below zero. */
export const placesFrom = (start: Memory): Places => {
  const memory = folder(start);
  const codes = codesIn(start);
  const pages = new Float64Array(CACHED).fill(-1);
  const starts = new Float64Array(CACHED);
  const names = new Float64Array(CACHED);
  /** Finds the area of a page: its place in the cache; its start is NaN where there is none. */
  const find = (page: number): number => {
    const at = page & (CACHED - 1);
    if (pages[at] === page) return at;
    const area = Memory.areaAt(memory.memory(), page);
    pages[at] = page;
    starts[at] = area === null ? Number.NaN : area.start;
    names[at] = area === null ? 0 : area.since === 0 ? -area.start : area.since;
    return at;
  };
  const putArea = (page: number, offset: number, slots: Float64Array, to: number): boolean => {
    const at = find(page);
    const first = starts[at] as number;
    if (Number.isNaN(first)) return false;
    slots[to] = names[at] as number;
    slots[to + 1] = (page - first) * 4096 + offset;
    return true;
  };
  const putAlias = (page: number, offset: number, slots: Float64Array, to: number): boolean => {
    const now = memory.memory();
    const pfn = page - now.directBase;
    if (now.directBase === 0 || pfn < 0 || pfn >= MAX_DIRECT_PAGES) return false;
    const backs = Memory.alias(now, pfn)?.frame ?? -1;
    return backs >= 0 && putArea(backs, offset, slots, to);
  };
  return {
    put: (hi, lo, slots, to) => {
      const page = hi * PAGES_OF_HI + (lo >>> 12);
      const offset = lo & 0xfff;
      if (putArea(page, offset, slots, to))
        return codes.put(page, offset, slots, to + 2) ? Placed.code : Placed.area;
      return putAlias(page, offset, slots, to) ? Placed.alias : Placed.nowhere;
    },
    take: (event) => {
      codes.take(event);
      if (NO_AREA.has(event.kind)) return;
      memory.apply(event);
      pages.fill(-1);
    },
    aliasLeaf: (pfn) => Memory.aliasLeaf(memory.memory(), pfn),
  };
};
