/** Follows events and says which rectangles of the permission history begin and end. */
import type { Event } from '../event/event.js';
import { Space } from '../event/pages.js';
import { BLOCKS_PER_PAGE, PageContent } from '../memory/content.js';
import { Memory, NO_FRAME } from '../memory/memory.js';
import { NODE_PAGES, PageTable, type PageNode } from '../memory/pageTable.js';
import { SparseMap } from '../memory/sparse.js';
import { Address } from '../value/address.js';
import { aligned, type Rectangle, type RectangleChanges } from './rectangle.js';

/** To be told of every event in order, after memory has changed. */
export interface RectangleTracker {
  readonly after: (event: Event) => void;
  /** The rectangles that began or ended since the last time. What open calls have changed so far counts, as if they had ended. */
  readonly take: () => RectangleChanges;
}

interface Open {
  readonly space: number;
  readonly page: number;
  readonly pages: number;
  readonly since: number;
  readonly from: number;
  readonly prot: number;
  readonly shift: number;
  readonly classes: number;
  readonly call: number;
  /** It was told as opened: its end has to be told, too. */
  told: boolean;
  closed: boolean;
  /** Pieces have taken its place. */
  replaced: boolean;
}

/** Pages that one outermost call has changed. */
interface Dirty {
  readonly call: number;
  since: number;
  until: number;
  /** Runs, space by space, as they came. */
  readonly runs: { readonly space: number; page: number; pages: number }[];
  /** Pages that were otherwise for a time (`2 * page + space`), whatever they are at the end. */
  readonly passing: Set<number>;
}

/** Open rectangles of 512 pages. */
type Slots = (Open | undefined)[];

const MASKS = new WeakMap<PageContent, number>();

/** Classes of the blocks of a page, one bit each. */
const classesOf = (content: PageContent): number => {
  if (content.uniform) return 1 << PageContent.classAt(content, 0);
  const known = content.owner === null ? MASKS.get(content) : undefined;
  if (known !== undefined) return known;
  let mask = 0;
  for (let block = 0; block < BLOCKS_PER_PAGE; block++) mask |= 1 << PageContent.classAt(content, block);
  return mask;
};

class Tracker implements RectangleTracker {
  readonly #memory: () => Memory;
  readonly #tables: readonly [Map<number, Slots>, Map<number, Slots>] = [new Map(), new Map()];
  /** Outermost call of each open call. */
  readonly #roots = new Map<number, number>();
  readonly #dirty = new Map<number, Dirty>();
  /** The open outermost call of each task. */
  readonly #tasks = new Map<string, number>();
  #opened: Open[] = [];
  #closed: { readonly open: Open; readonly to: number }[] = [];
  #dropped: Open[] = [];

  constructor(memory: () => Memory, resumed: Iterable<Rectangle>) {
    this.#memory = memory;
    let any = false;
    for (const { to: _to, ...rectangle } of resumed) {
      any = true;
      this.#put({ ...rectangle, told: true, closed: false, replaced: false });
    }
    if (!any) this.#begin();
  }

  after(event: Event): void {
    switch (event.kind) {
      case 'entered':
        if (event.call === 0) {
          const key = event.task.endsWith('-0') ? `${event.task} ${event.cpu}` : event.task;
          const before = this.#tasks.get(key);
          if (before !== undefined) this.#settle(before);
          this.#tasks.set(key, event.seq);
          this.#roots.set(event.seq, event.seq);
        } else this.#roots.set(event.seq, this.#roots.get(event.call) ?? event.call);
        return;
      case 'returned':
        if (this.#roots.get(event.call) === event.call) this.#settle(event.call);
        this.#roots.delete(event.call);
        return;
      case 'chosen':
        return;
      case 'mapped':
        this.#touch(event, Space.virtual, event.page, event.pages);
        if (event.frame >= 0) this.#touch(event, Space.direct, event.frame, event.pages);
        return;
      case 'unmapped':
        this.#touch(event, Space.virtual, event.page, event.pages);
        return;
      case 'forgotten':
        this.#touch(event, Space.virtual, event.page, event.pages);
        this.#touchFrames(event, event.page, event.pages);
        return;
      case 'direct-mapped':
        this.#touch(event, Space.direct, event.page, event.pages);
        return;
      case 'leaf-known':
        this.#touch(event, Space.direct, event.page - (event.page % NODE_PAGES), NODE_PAGES);
        return;
      case 'permission':
        this.#touch(event, event.space, event.page, event.pages);
        // A page that becomes executable marks its frame as one that backed an executable page; its own entry may be made then.
        if (event.space === Space.virtual) this.#touchFrames(event, event.page, event.pages);
        return;
      case 'split':
      case 'collapsed':
        this.#touch(event, event.space, event.page, 2 ** (Math.max(event.from, event.to) - 12));
        return;
      case 'identified':
        this.#touch(event, Space.direct, event.page, event.pages);
        for (let pfn = event.page; pfn < event.page + event.pages; pfn++) this.#touchBacked(event, pfn);
        return;
      case 'copied':
      case 'filled':
        this.#touch(
          event,
          Space.virtual,
          event.to.page,
          Address.add(event.to, Math.max(event.length, 1) - 1).page - event.to.page + 1,
        );
        return;
      case 'content':
        if (event.frame >= 0) this.#touchBacked(event, event.frame);
        else {
          const page = SparseMap.get(this.#memory().names, -event.frame);
          if (page !== undefined) this.#touch(event, Space.virtual, page, 1);
        }
        return;
      default:
        return;
    }
  }

  take(): RectangleChanges {
    for (const call of Array.from(this.#dirty.keys())) this.#settle(call);
    const closed: Rectangle[] = [];
    const opened: Rectangle[] = [];
    const ends = new Map<Open, number>();
    for (const { open, to } of this.#closed)
      if (open.told) closed.push(rectangleOf(open, to));
      else ends.set(open, to);
    for (const open of this.#opened) {
      if (open.replaced) continue;
      open.told = true;
      opened.push(rectangleOf(open, ends.get(open) ?? null));
    }
    const dropped = this.#dropped.map((open) => rectangleOf(open, null));
    this.#opened = [];
    this.#closed = [];
    this.#dropped = [];
    return { opened, closed, dropped };
  }

  /** What was there before the first event. */
  #begin(): void {
    const { virtual, direct } = this.#memory();
    const first: Dirty = { call: 0, since: 0, until: 0, runs: [], passing: new Set() };
    for (const [space, table] of [virtual, direct].entries())
      for (const [page] of PageTable.pages(table)) add(first, space, page, 1);
    this.#judge(first);
  }

  #touch(event: Event, space: number, page: number, pages: number): void {
    const root = event.call === 0 ? 0 : (this.#roots.get(event.call) ?? 0);
    let dirty = this.#dirty.get(root);
    if (dirty === undefined) {
      dirty = { call: root, since: event.seq, until: event.seq, runs: [], passing: new Set() };
      if (root !== 0) this.#dirty.set(root, dirty);
    }
    dirty.until = event.seq;
    add(dirty, space, page, pages);
    // Outside any call it counts at once.
    if (root === 0) this.#judge(dirty);
    else if (event.kind !== 'copied' && event.kind !== 'filled' && event.kind !== 'content')
      this.#notePassing(dirty, space, page, pages);
  }

  /** Which of the pages are otherwise now than they were before the call. */
  #notePassing(dirty: Dirty, space: number, first: number, pages: number): void {
    const memory = this.#memory();
    for (let page = first; page < first + pages; page++) {
      const node = PageTable.node(space === Space.direct ? memory.direct : memory.virtual, page);
      const slot = page % NODE_PAGES;
      const open = this.#slots(space, page)[slot];
      const shift = node?.shift[slot] ?? 0;
      const prot = shift === 0 ? 0 : (node?.prot[slot] ?? 0);
      if (shift !== (open?.shift ?? 0) || prot !== (open?.prot ?? 0)) dirty.passing.add(page * 2 + space);
    }
  }

  /** The direct-map entries of the frames behind virtual pages. */
  #touchFrames(event: Event, first: number, pages: number): void {
    const { virtual } = this.#memory();
    for (let page = first; page < first + pages; page++) {
      const node = PageTable.node(virtual, page);
      const frame = node === undefined ? NO_FRAME : (node.frame[page % NODE_PAGES] as number);
      if (frame >= 0) this.#touch(event, Space.direct, frame, 1);
    }
  }

  /** The virtual page that a frame backs. */
  #touchBacked(event: Event, pfn: number): void {
    const node = PageTable.node(this.#memory().direct, pfn);
    const page = node === undefined ? -1 : (node.frame[pfn % NODE_PAGES] as number);
    if (page >= 0) this.#touch(event, Space.virtual, page, 1);
  }

  #settle(call: number): void {
    const dirty = this.#dirty.get(call);
    if (dirty === undefined) return;
    this.#dirty.delete(call);
    this.#judge(dirty);
  }

  /** Compares what pages are now with their open rectangles. */
  #judge(dirty: Dirty): void {
    for (const { space, page, pages } of dirty.runs) {
      let first = page;
      const end = page + pages;
      while (first < end) {
        const stop = Math.min(end, (Math.floor(first / NODE_PAGES) + 1) * NODE_PAGES);
        this.#judgeNode(dirty, space, first, stop);
        first = stop;
      }
    }
  }

  #judgeNode(dirty: Dirty, space: number, first: number, stop: number): void {
    const memory = this.#memory();
    const node = PageTable.node(space === Space.direct ? memory.direct : memory.virtual, first);
    const slots = this.#slots(space, first);
    let run = -1;
    let prot = 0;
    let shift = 0;
    let classes = 0;
    const tell = (end: number): void => {
      if (run >= 0) this.#change(dirty, space, run, end, prot, shift, classes);
      run = -1;
    };
    for (let page = first; page < stop; page++) {
      const slot = page % NODE_PAGES;
      const now = node?.shift[slot] ?? 0;
      const nowProt = now === 0 ? 0 : (node?.prot[slot] ?? 0);
      const nowClasses = now === 0 || space === Space.direct ? 0 : classesAt(memory, node as PageNode, slot);
      const open = slots[slot];
      const same =
        (open === undefined
          ? now === 0
          : open.prot === nowProt && open.shift === now && open.classes === nowClasses) &&
        !(
          dirty.passing.size > 0 &&
          dirty.passing.delete(page * 2 + space) &&
          (open?.from ?? -1) < dirty.until
        );
      if (same) tell(page);
      else if (run < 0 || nowProt !== prot || now !== shift || nowClasses !== classes) {
        tell(page);
        run = page;
        prot = nowProt;
        shift = now;
        classes = nowClasses;
      }
    }
    tell(stop);
  }

  /** Pages from `first` to before `end`, of one node, are otherwise than their open rectangles say. */
  #change(
    dirty: Dirty,
    space: number,
    first: number,
    end: number,
    prot: number,
    shift: number,
    classes: number,
  ): void {
    const slots = this.#slots(space, first);
    let since = this.#sinceOf(dirty, space, first, end);
    // What began while this call was open was on its way all the time.
    for (let page = first; page < end; page++) {
      const open = slots[page % NODE_PAGES];
      if (open !== undefined && open.from >= since && open.from > 0) since = Math.min(since, open.since);
    }
    for (let page = first; page < end; page++) {
      const open = slots[page % NODE_PAGES];
      if (open !== undefined) this.#carve(open, first, end, since);
    }
    aligned(first, end - first, (page, pages) => {
      const open: Open = {
        space,
        page,
        pages,
        since,
        from: dirty.until,
        prot,
        shift,
        classes,
        call: dirty.call,
        told: false,
        closed: false,
        replaced: false,
      };
      this.#put(open);
      this.#opened.push(open);
    });
  }

  /** Other calls may have changed the same pages, and be open still: then it began with the first of them. */
  #sinceOf({ since }: Dirty, space: number, first: number, end: number): number {
    let earliest = since;
    for (const other of this.#dirty.values())
      if (
        other.since < earliest &&
        other.runs.some((run) => run.space === space && run.page < end && run.page + run.pages > first)
      )
        earliest = other.since;
    return earliest;
  }

  /** Ends the part of a rectangle that lies in a range; the rest goes on in pieces of its own. */
  #carve(open: Open, first: number, end: number, to: number): void {
    if (open.closed) return;
    open.closed = true;
    const slots = this.#slots(open.space, open.page);
    const last = open.page + open.pages;
    const from = Math.max(first, open.page);
    const stop = Math.min(end, last);
    for (let page = open.page; page < last; page++) slots[page % NODE_PAGES] = undefined;
    // It had not begun when this began to change: nothing of it is left.
    const begun = open.from < to || open.from === 0;
    if (from === open.page && stop === last && begun) {
      this.#closed.push({ open, to });
      return;
    }
    const piece = (page: number, pages: number): Open => {
      const part: Open = { ...open, page, pages, told: false, closed: false, replaced: false };
      this.#opened.push(part);
      return part;
    };
    // The row that was written, or would be, is replaced by its pieces.
    if (open.told) this.#dropped.push(open);
    else open.replaced = true;
    aligned(open.page, from - open.page, (page, pages) => this.#put(piece(page, pages)));
    if (begun)
      aligned(from, stop - from, (page, pages) => {
        const part = piece(page, pages);
        part.closed = true;
        this.#closed.push({ open: part, to });
      });
    aligned(stop, last - stop, (page, pages) => this.#put(piece(page, pages)));
  }

  #put(open: Open): void {
    const slots = this.#slots(open.space, open.page);
    for (let i = 0; i < open.pages; i++) slots[(open.page + i) % NODE_PAGES] = open;
  }

  #slots(space: number, page: number): Slots {
    const table = this.#tables[space === Space.direct ? 1 : 0];
    const key = Math.floor(page / NODE_PAGES);
    let slots = table.get(key);
    if (slots === undefined) {
      slots = new Array<Open | undefined>(NODE_PAGES).fill(undefined);
      table.set(key, slots);
    }
    return slots;
  }
}

const classesAt = (memory: Memory, node: PageNode, slot: number): number => {
  const content = Memory.contentOf(memory, node.frame[slot] as number);
  return content === null ? 0 : classesOf(content);
};

const add = (dirty: Dirty, space: number, page: number, pages: number): void => {
  const last = dirty.runs.at(-1);
  if (last !== undefined && last.space === space) {
    if (page === last.page + last.pages) {
      last.pages += pages;
      return;
    }
    if (page >= last.page && page + pages <= last.page + last.pages) return;
  }
  dirty.runs.push({ space, page, pages });
};

const rectangleOf = (open: Open, to: number | null): Rectangle => ({
  space: open.space,
  page: open.page,
  pages: open.pages,
  since: open.since,
  from: open.from,
  to,
  prot: open.prot,
  shift: open.shift,
  classes: open.classes,
  call: open.call,
});

/**
 * Follows the events of a trace from its beginning, or from where it was left: then `resumed` are its rectangles without end. `memory` is read after
 * each event.
 */
export const rectangleTracker = (memory: () => Memory, resumed: Iterable<Rectangle> = []): RectangleTracker =>
  new Tracker(memory, resumed);
