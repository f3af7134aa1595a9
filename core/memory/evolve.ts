import type { Event, EventOf } from '../event/event.js';
import { Space } from '../event/pages.js';
import { Prot } from '../value/prot.js';
import {
  applyContent,
  applyCopied,
  applyFilled,
  applySeen,
  inheritContent,
  moveContent,
} from './evolveContent.js';
import { applyKnown } from './evolveKnown.js';
import { applyPack } from './evolvePacks.js';
import { applyProgram } from './evolvePrograms.js';
import { frameKey, Memory, NO_FRAME, type Area } from './memory.js';
import {
  BACKED_EXECUTABLE,
  LARGE_RUN,
  NODE_PAGES,
  PageTable,
  UNKNOWN_SHIFT,
  type PageNode,
} from './pageTable.js';
import { SparseMap } from './sparse.js';

/** A memory that the present batch may write. */
export type Draft = { -readonly [K in keyof Memory]: Memory[K] };

const HUGE = 21;

const ownTables = (draft: Draft, token: object): void => {
  draft.virtual = PageTable.own(draft.virtual, token);
  draft.direct = PageTable.own(draft.direct, token);
};

/** Calls `change` with each writable node and slot of a page range; entries are made when `create` says so. */
const eachSlot = (
  table: PageTable,
  token: object,
  first: number,
  pages: number,
  create: boolean,
  change: (node: PageNode, slot: number, page: number) => void,
): void => {
  let page = first;
  const end = first + pages;
  while (page < end) {
    const stop = Math.min(end, (Math.floor(page / NODE_PAGES) + 1) * NODE_PAGES);
    const node = PageTable.writable(table, token, page, create);
    if (node === undefined) {
      page = stop;
      continue;
    }
    for (; page < stop; page++) change(node, page % NODE_PAGES, page);
  }
};

/** The direct-map entry of a frame that now backs (or no longer backs) a virtual page. */
const setBacks = (
  draft: Draft,
  token: object,
  pfn: number,
  backs: number,
  executable: boolean,
  seq: number,
): void => {
  const node = PageTable.writable(draft.direct, token, pfn, true) as PageNode;
  const slot = pfn % NODE_PAGES;
  if (node.shift[slot] === 0) {
    // Memory of the page allocator that nobody has changed: mapped as PAGE_KERNEL, leaf as far as the region is known.
    node.shift[slot] = node.leaf === 0 ? UNKNOWN_SHIFT : node.leaf;
    node.prot[slot] = Prot.kernel;
    node.cause[slot] = seq;
    node.count++;
  }
  node.frame[slot] = backs;
  if (executable) node.mark[slot] = (node.mark[slot] as number) | BACKED_EXECUTABLE;
};

const applyMapped = (draft: Draft, token: object, event: EventOf<'mapped'>): void => {
  ownTables(draft, token);
  const area = Memory.areaAt(draft, event.page);
  const step = event.frame === NO_FRAME ? 0 : event.frame < 0 ? -1 : 1;
  const frames =
    area !== null && area.frames === null && event.frame !== NO_FRAME
      ? new Float64Array(area.pages).fill(NO_FRAME)
      : (area?.frames?.slice() ?? null);
  const executable = Prot.has(event.prot, Prot.executable);
  eachSlot(draft.virtual, token, event.page, event.pages, true, (node, slot, page) => {
    const frame = event.frame + step * (page - event.page);
    if (node.shift[slot] === 0) node.count++;
    node.shift[slot] = event.shift;
    node.prot[slot] = event.prot;
    node.frame[slot] = frame;
    node.cause[slot] = event.seq;
    node.mark[slot] = event.shift >= HUGE ? LARGE_RUN : 0;
    if (area !== null && frames !== null) frames[page - area.start] = frame;
    if (frame >= 0) setBacks(draft, token, frame, page, executable, event.seq);
    else if (frame !== NO_FRAME) draft.names = SparseMap.set(draft.names, token, -frame, page);
    if (frame !== NO_FRAME) inheritContent(draft, token, frame);
  });
  if (event.frame < NO_FRAME) draft.lowestName = Math.min(draft.lowestName, event.frame - event.pages + 1);
  if (area !== null && frames !== null)
    draft.areas = SparseMap.set(draft.areas, token, area.start, { ...area, frames });
};

const applyUnmapped = (draft: Draft, token: object, event: EventOf<'unmapped'>): void => {
  ownTables(draft, token);
  eachSlot(draft.virtual, token, event.page, event.pages, false, (node, slot) => {
    if (node.shift[slot] === 0) return;
    const frame = node.frame[slot] as number;
    node.shift[slot] = 0;
    node.prot[slot] = 0;
    node.frame[slot] = NO_FRAME;
    node.mark[slot] = 0;
    node.cause[slot] = event.seq;
    node.count--;
    if (frame >= 0) setBacks(draft, token, frame, -1, false, event.seq);
  });
};

/** Permission of a frame's alias that nothing was said of: memory of the page allocator, unless lost events may have changed it. */
export const unseenAlias = ({ lost }: Pick<Memory, 'lost'>): number =>
  lost === 0 ? Prot.kernel : Prot.nothingKnown;

const applyPermission = (draft: Draft, token: object, event: EventOf<'permission'>): void => {
  ownTables(draft, token);
  const direct = event.space === Space.direct;
  const becomesExecutable = (event.set & Prot.executable) !== 0;
  eachSlot(
    direct ? draft.direct : draft.virtual,
    token,
    event.page,
    event.pages,
    true,
    (node, slot, page) => {
      if (node.shift[slot] === 0) {
        node.count++;
        node.shift[slot] = direct && node.leaf !== 0 ? node.leaf : UNKNOWN_SHIFT;
        node.prot[slot] = direct
          ? unseenAlias(draft)
          : Prot.present | Prot.unknown(Prot.writable | Prot.executable | Prot.dirty);
        node.frame[slot] = NO_FRAME;
      }
      node.prot[slot] = Prot.change(node.prot[slot] as number, event.set, event.clear);
      node.cause[slot] = event.seq;
      if (!direct && becomesExecutable) {
        const frame = node.frame[slot] as number;
        if (frame >= 0) setBacks(draft, token, frame, page, true, event.seq);
      }
    },
  );
};

const applyLeaf = (draft: Draft, token: object, event: EventOf<'split'> | EventOf<'collapsed'>): void => {
  ownTables(draft, token);
  const direct = event.space === Space.direct;
  const large = Math.max(event.from, event.to);
  const pages = 2 ** (large - 12);
  eachSlot(direct ? draft.direct : draft.virtual, token, event.page, pages, direct, (node, slot) => {
    if (direct && pages >= NODE_PAGES) node.leaf = event.to;
    if (node.shift[slot] === 0) {
      // Of a leaf smaller than a node (1 MiB) the rest of the node keeps its own.
      if (!direct || pages >= NODE_PAGES) return;
      node.count++;
      node.prot[slot] = unseenAlias(draft);
      node.frame[slot] = NO_FRAME;
    }
    node.shift[slot] = event.to;
    node.cause[slot] = event.seq;
  });
  if (!direct) return;
  const c = draft.counters;
  if (event.kind === 'split')
    draft.counters =
      large === HUGE
        ? { ...c, level2Splits: c.level2Splits + 1 }
        : large > HUGE
          ? { ...c, level3Splits: c.level3Splits + 1 }
          : c;
  else
    draft.counters =
      large === HUGE
        ? { ...c, level2Collapses: c.level2Collapses + 1 }
        : { ...c, level3Collapses: c.level3Collapses + 1 };
};

const applyDirectMapped = (draft: Draft, token: object, event: EventOf<'direct-mapped'>): void => {
  ownTables(draft, token);
  eachSlot(draft.direct, token, event.page, event.pages, true, (node, slot) => {
    if (node.shift[slot] === 0) node.count++;
    node.shift[slot] = event.shift;
    node.prot[slot] = event.prot;
    node.cause[slot] = event.seq;
    if (event.shift > UNKNOWN_SHIFT) node.leaf = event.shift;
  });
};

const applyLeafKnown = (draft: Draft, token: object, event: EventOf<'leaf-known'>): void => {
  ownTables(draft, token);
  const node = PageTable.writable(draft.direct, token, event.page, true) as PageNode;
  node.leaf = event.shift;
  if (event.shift === 0) return;
  for (let slot = 0; slot < NODE_PAGES; slot++)
    if (node.shift[slot] === UNKNOWN_SHIFT) node.shift[slot] = event.shift;
};

const applyIdentified = (draft: Draft, token: object, event: EventOf<'identified'>): void => {
  ownTables(draft, token);
  for (let i = 0; i < event.pages; i++) {
    const name = event.frame - i;
    const pfn = event.page + i;
    const page = SparseMap.get(draft.names, -name);
    if (page === undefined) continue;
    draft.names = SparseMap.set<number>(draft.names, token, -name, undefined);
    const area = Memory.areaAt(draft, page);
    if (area !== null && area.frames !== null && area.frames[page - area.start] === name) {
      // Copied on write would cost a copy per page: frames of an area belong to the batch that wrote them last.
      const frames = area.frames.slice();
      frames[page - area.start] = pfn;
      draft.areas = SparseMap.set(draft.areas, token, area.start, { ...area, frames });
    }
    const node = PageTable.writable(draft.virtual, token, page, false);
    const slot = page % NODE_PAGES;
    if (
      node !== undefined &&
      node.shift[slot] !== 0 &&
      (node.frame[slot] === name || node.frame[slot] === NO_FRAME)
    ) {
      node.frame[slot] = pfn;
      setBacks(draft, token, pfn, page, Prot.has(node.prot[slot] as number, Prot.executable), event.seq);
    }
    moveContent(draft, token, name, pfn);
  }
};

const applyFramesReleased = (draft: Draft, token: object, event: EventOf<'frames-released'>): void => {
  const area = SparseMap.get(draft.areas, event.start);
  // A live one is another area: the addresses were free again before the frames were.
  if (area === undefined || area.state === 'live') return;
  if (area.frames !== null)
    for (const frame of area.frames) {
      if (frame >= NO_FRAME) continue;
      draft.names = SparseMap.set<number>(draft.names, token, -frame, undefined);
      moveContent(draft, token, frame, NO_FRAME);
    }
  draft.areas = SparseMap.set(draft.areas, token, area.start, { ...area, frames: null });
};

const removeArea = (draft: Draft, token: object, start: number): void => {
  draft.areas = SparseMap.set<Area>(draft.areas, token, start, undefined);
  draft.lazy = SparseMap.set<number>(draft.lazy, token, start, undefined);
};

const applyAreaAllocated = (draft: Draft, token: object, event: EventOf<'area-allocated'>): void => {
  // The addresses were free, so whatever lazily freed area lay there had been purged.
  for (;;) {
    const found = SparseMap.floor(draft.areas, event.start + event.pages - 1);
    if (found === null || found[1].start + found[1].pages <= event.start) break;
    removeArea(draft, token, found[0]);
  }
  draft.areas = SparseMap.set<Area>(draft.areas, token, event.start, {
    start: event.start,
    pages: event.pages,
    flags: event.flags,
    caller: event.caller,
    state: 'live',
    frames: null,
    since: event.seq,
  });
  draft.unknown =
    draft.unknown.length === 0
      ? draft.unknown
      : draft.unknown.filter((u) => u.page + u.pages <= event.start || u.page >= event.start + event.pages);
};

const applyAreasPurged = (draft: Draft, token: object, event: EventOf<'areas-purged'>): void => {
  for (const { start } of Array.from(Memory.purgedBy(draft, event))) removeArea(draft, token, start);
};

/** Areas with a page of a range; what is found may be replaced meanwhile. */
const areasIn = (draft: Draft, first: number, end: number): Area[] => {
  const found: Area[] = [];
  for (let page = end - 1; ;) {
    const area = SparseMap.floor(draft.areas, page)?.[1];
    if (area === undefined || area.start + area.pages <= first) return found;
    found.push(area);
    page = area.start - 1;
  }
};

const applyForgotten = (draft: Draft, token: object, event: EventOf<'forgotten'>): void => {
  ownTables(draft, token);
  eachSlot(draft.virtual, token, event.page, event.pages, false, (node, slot) => {
    if (node.shift[slot] === 0) return;
    node.prot[slot] = Prot.nothingKnown;
    node.shift[slot] = UNKNOWN_SHIFT;
    node.cause[slot] = event.seq;
    const frame = node.frame[slot] as number;
    node.frame[slot] = NO_FRAME;
    node.mark[slot] = 0;
    if (frame < NO_FRAME) draft.names = SparseMap.set<number>(draft.names, token, -frame, undefined);
    if (frame !== NO_FRAME) draft.content = SparseMap.set(draft.content, token, frameKey(frame), undefined);
    if (frame < 0) return;
    const alias = PageTable.writable(draft.direct, token, frame, false);
    const at = frame % NODE_PAGES;
    if (alias !== undefined && alias.shift[at] !== 0) {
      alias.prot[at] = Prot.nothingKnown;
      alias.frame[at] = NO_FRAME;
      alias.cause[at] = event.seq;
    }
  });
  const end = event.page + event.pages;
  for (const area of areasIn(draft, event.page, end))
    if (area.frames !== null)
      draft.areas = SparseMap.set(draft.areas, token, area.start, { ...area, frames: null });
  // What was forgotten before inside the same pages is said by this alone.
  draft.unknown = [
    ...draft.unknown.filter((u) => u.page < event.page || u.page + u.pages > end),
    { page: event.page, pages: event.pages, why: event.why, seq: event.seq },
  ];
};

const setArea = (draft: Draft, token: object, start: number, change: Partial<Area>): void => {
  const area = SparseMap.get(draft.areas, start);
  if (area !== undefined) draft.areas = SparseMap.set(draft.areas, token, start, { ...area, ...change });
};

const applyAreaFreed = (draft: Draft, token: object, { start, seq }: EventOf<'area-freed'>): void => {
  if (!SparseMap.has(draft.areas, start)) return;
  setArea(draft, token, start, { state: 'lazy', since: seq });
  draft.lazy = SparseMap.set(draft.lazy, token, start, start);
};

/** Changes an owned draft by one event: the only place where memory changes. */
export const apply = (draft: Draft, token: object, event: Event): void => {
  switch (event.kind) {
    // First, because they are three quarters of a log.
    case 'entered':
    case 'returned':
    case 'chosen':
      return;
    case 'area-allocated':
      return applyAreaAllocated(draft, token, event);
    case 'area-flagged':
      return setArea(draft, token, event.start, { flags: event.flags });
    case 'area-freed':
      return applyAreaFreed(draft, token, event);
    case 'areas-purged':
      return applyAreasPurged(draft, token, event);
    case 'mapped':
      return applyMapped(draft, token, event);
    case 'unmapped':
      return applyUnmapped(draft, token, event);
    case 'direct-mapped':
      return applyDirectMapped(draft, token, event);
    case 'permission':
      return applyPermission(draft, token, event);
    case 'split':
    case 'collapsed':
      return applyLeaf(draft, token, event);
    case 'leaf-known':
      return applyLeafKnown(draft, token, event);
    case 'identified':
      return applyIdentified(draft, token, event);
    case 'frames-released':
      return applyFramesReleased(draft, token, event);
    case 'bases-learned':
      draft.directBase = event.direct;
      draft.vmemmap = event.vmemmap;
      return;
    case 'copied':
      return applyCopied(draft, token, event);
    case 'filled':
      return applyFilled(draft, token, event);
    case 'seen':
      return applySeen(draft, token, event);
    case 'content':
      return applyContent(draft, token, event);
    case 'pack-created':
    case 'chunk-allocated':
    case 'chunk-freed':
    case 'pack-removed':
    case 'pack-marked':
    case 'charged':
    case 'limit-set':
      return applyPack(draft, token, event);
    case 'program-allocated':
    case 'program-placed':
    case 'program-finalized':
    case 'published':
    case 'unpublished':
    case 'program-freed':
    case 'program-joined':
      return applyProgram(draft, token, event);
    case 'counter':
      if (event.name === 'direct_map_level2_splits')
        draft.counters = { ...draft.counters, level2Splits: event.value };
      else if (event.name === 'direct_map_level3_splits')
        draft.counters = { ...draft.counters, level3Splits: event.value };
      else if (event.name === 'direct_map_level2_collapses')
        draft.counters = { ...draft.counters, level2Collapses: event.value };
      else if (event.name === 'direct_map_level3_collapses')
        draft.counters = { ...draft.counters, level3Collapses: event.value };
      return;
    case 'gap':
      draft.lost += Math.max(1, event.lost);
      draft.lostAt = event.seq;
      // Whatever was charged, taken or given back among the lost events is not known.
      draft.charged = null;
      draft.packs = draft.packs.map((pack) =>
        pack.partial ? pack : { ...pack, owner: null, partial: true },
      );
      return;
    case 'forgotten':
      return applyForgotten(draft, token, event);
    case 'pages-known':
    case 'area-backed':
    case 'frames-named':
    case 'word-seen':
    case 'program-known':
    case 'state-known':
      return applyKnown(draft, token, event);
    case 'tlb-flushed':
    case 'icache-flushed':
    case 'marker':
    case 'divergence':
    case 'operation':
    case 'noted':
    case 'warned':
      return;
  }
};

/** A memory that `token` may write. Written out, because each event that is applied alone makes one. */
const draftOf = (memory: Memory, token: object): Draft => ({
  owner: token,
  seq: memory.seq,
  time: memory.time,
  virtual: memory.virtual,
  direct: memory.direct,
  content: memory.content,
  names: memory.names,
  lowestName: memory.lowestName,
  areas: memory.areas,
  lazy: memory.lazy,
  packs: memory.packs,
  programs: memory.programs,
  programsByChunk: memory.programsByChunk,
  programsByPointer: memory.programsByPointer,
  symbols: memory.symbols,
  counters: memory.counters,
  charged: memory.charged,
  limit: memory.limit,
  unknown: memory.unknown,
  directBase: memory.directBase,
  vmemmap: memory.vmemmap,
  lost: memory.lost,
  lostAt: memory.lostAt,
});

/** Memory after a batch of events. Earlier memories stay valid. */
export const evolveAll = (memory: Memory, events: readonly Event[]): Memory => {
  if (events.length === 0) return memory;
  const token = {};
  const draft = draftOf(memory, token);
  for (const event of events) {
    draft.seq = event.seq > draft.seq ? event.seq : draft.seq;
    draft.time = event.time;
    apply(draft, token, event);
  }
  return draft;
};

/** Memory after one event. */
export const evolve = (memory: Memory, event: Event): Memory => {
  const token = {};
  const draft = draftOf(memory, token);
  if (event.seq > draft.seq) draft.seq = event.seq;
  draft.time = event.time;
  apply(draft, token, event);
  return draft;
};

/** A memory that is changed in place by one owner (a driver): the same reducer, one token until `share` is called. */
export interface Folder {
  readonly memory: () => Memory;
  readonly apply: (event: Event) => void;
  /** A value that stays valid; the folder goes on with a new token. */
  readonly share: () => Memory;
}

/** `owner`: of a memory that nobody else has; it may be changed itself. */
export const folder = (start: Memory, owner: object = {}): Folder => {
  let token = owner;
  let draft = draftOf(start, token);
  return {
    memory: () => draft,
    apply: (event) => {
      draft.seq = event.seq > draft.seq ? event.seq : draft.seq;
      draft.time = event.time;
      apply(draft, token, event);
    },
    share: () => {
      const shared: Memory = { ...draft, owner: null };
      token = {};
      draft = { ...draft, owner: token };
      return shared;
    },
  };
};
