/** What is executable at the end, and where it comes from: the table an auditor signs. */
import { BLOCK, BLOCKS_PER_PAGE, CONTENT_CLASSES, PageContent } from '../memory/content.js';
import { Memory, NO_FRAME } from '../memory/memory.js';
import { PageTable, type PageEntry } from '../memory/pageTable.js';
import { PAGE_SIZE } from '../value/address.js';
import { Prot } from '../value/prot.js';
import { doingOf, type Doing } from './doing.js';
import { followedAreas } from './followedAreas.js';
import type { Audit, Watch } from './rule.js';
import { writersOf, type Writers } from './writers.js';

export type ContentClassName = (typeof CONTENT_CLASSES)[number];

/** Bytes by what lies there. */
export type ContentBytes = Readonly<Record<ContentClassName, number>>;

/** Bytes that one kind of call wrote, or that nothing in the trace wrote. */
export interface Written {
  readonly what: ContentClassName;
  readonly bytes: number;
  /** The first of the events that wrote them, with its calls; null: nothing in the trace did. */
  readonly by: Doing | null;
  /** How many events wrote them, by calls of these names. */
  readonly events: number;
}

/** Executable pages in a row with one history. */
export interface ExecutableRun {
  readonly page: number;
  readonly pages: number;
  /** `r-x`, `rwx`; `?` where the trace does not say. */
  readonly prot: string;
  /** First page of the area they lie in; null: the trace knows none. */
  readonly area: number | null;
  /** Who asked for the area; empty: not recorded. */
  readonly caller: string;
  /** Event that gave out the area; 0: older than the trace. */
  readonly allocated: number;
  /** The calls around that event; null: it is older than the trace. */
  readonly allocatedBy: Doing | null;
  /** Event that made the pages executable; 0: they were so before the trace. */
  readonly made: number;
  /** The calls around that event; null: it is older than the trace. */
  readonly madeBy: Doing | null;
  readonly content: ContentBytes;
  /** Who wrote what lies there: by kind of content and calls. */
  readonly written: readonly Written[];
  /** Programs whose images lie there: number and bytes. */
  readonly programs: readonly { readonly number: number; readonly bytes: number }[];
  /** Pages of these whose origin is not known: some byte, the permission, the area, or who asked for it. */
  readonly unknown: number;
}

export interface Inventory {
  readonly pages: number;
  readonly runs: readonly ExecutableRun[];
  /** Pages that were executable before the trace began, or whose area is older than it. */
  readonly older: number;
  /** Pages of which some byte, the permission, the area, or who asked for it is unknown. */
  readonly unknown: number;
}

const newContent = (): Record<ContentClassName, number> => ({
  unknown: 0,
  trap: 0,
  zero: 0,
  program: 0,
  leftover: 0,
  bytes: 0,
  code: 0,
});

interface OpenWritten {
  readonly what: ContentClassName;
  bytes: number;
  by: Doing | null;
  readonly events: Set<number>;
}

interface OpenRun {
  readonly run: Omit<ExecutableRun, 'pages' | 'programs' | 'written' | 'unknown'> & {
    pages: number;
    unknown: number;
  };
  readonly content: Record<ContentClassName, number>;
  readonly programs: Map<number, number>;
  readonly written: Map<string, OpenWritten>;
  /** That which was added to last. */
  latest: OpenWritten | null;
}

const addWritten = (to: OpenRun, what: ContentClassName, by: Doing | null, bytes: number): void => {
  let one = to.latest;
  if (one === null || one.what !== what || one.by?.calls !== by?.calls) {
    const key = by === null ? what : `${what} ${by.calls.join(' ')}`;
    one = to.written.get(key) ?? { what, bytes: 0, by, events: new Set() };
    to.written.set(key, one);
    to.latest = one;
  }
  one.bytes += bytes;
  if (by === null) return;
  one.events.add(by.seq);
  if (one.by === null || by.seq < one.by.seq) one.by = by;
};

/** Adds the blocks of a page; whether some byte of it is unknown. */
const addContent = (
  memory: Memory,
  page: number,
  entry: PageEntry,
  writers: Writers,
  isFollowed: boolean,
  to: OpenRun,
): boolean => {
  const content = entry.frame === NO_FRAME ? null : Memory.contentOf(memory, entry.frame);
  if (content === null) {
    to.content.unknown += PAGE_SIZE;
    addWritten(to, 'unknown', null, PAGE_SIZE);
    return true;
  }
  let unknown = false;
  for (let block = 0; block < BLOCKS_PER_PAGE; block++) {
    const held = CONTENT_CLASSES[PageContent.classAt(content, block)] ?? 'unknown';
    const name = held === 'leftover' && !isFollowed ? 'unknown' : held;
    to.content[name] += BLOCK;
    addWritten(to, name, writers.of(page, block), BLOCK);
    if (name === 'unknown') unknown = true;
    if (name !== 'program') continue;
    const number = PageContent.refAt(content, block);
    to.programs.set(number, (to.programs.get(number) ?? 0) + BLOCK);
  }
  return unknown;
};

const writtenOf = ({ what, bytes, by, events }: OpenWritten): Written => ({
  what,
  bytes,
  by,
  events: events.size,
});

const closed = ({ run, programs, written }: OpenRun): ExecutableRun => ({
  ...run,
  written: Array.from(written.values(), writtenOf).sort((a, b) => b.bytes - a.bytes),
  programs: Array.from(programs, ([number, bytes]) => ({ number, bytes })),
});

/** Follows which event gave out and which made executable each page. */
export const inventoryOf = (
  audit: Audit,
): { readonly watches: readonly Watch[]; readonly take: () => Inventory } => {
  const made = new Map<number, Doing>();
  const given = new Map<number, Doing>();
  const writers = writersOf(audit.calls);
  const followed = followedAreas(audit);
  const set = (page: number, pages: number, by: Doing): void => {
    for (let i = 0; i < pages; i++) made.set(page + i, by);
  };
  const unset = (page: number, pages: number): void => {
    if (made.size > 0) for (let i = 0; i < pages; i++) made.delete(page + i);
  };

  const begin = (memory: Memory, page: number, prot: string): OpenRun => {
    const area = Memory.areaAt(memory, page);
    const madeBy = made.get(page) ?? null;
    const allocatedBy = area === null ? null : (given.get(area.start) ?? null);
    const content = newContent();
    return {
      run: {
        page,
        pages: 0,
        prot,
        area: area?.start ?? null,
        caller: area?.caller ?? '',
        allocated: area?.since ?? 0,
        allocatedBy: allocatedBy?.seq === area?.since ? allocatedBy : null,
        made: madeBy?.seq ?? 0,
        madeBy,
        content,
        unknown: 0,
      },
      content,
      programs: new Map(),
      written: new Map(),
      latest: null,
    };
  };

  const take = (): Inventory => {
    const memory = audit.memory();
    const open: OpenRun[] = [];
    let pages = 0;
    let older = 0;
    let unknown = 0;
    for (const [page] of PageTable.pages(memory.virtual)) {
      const entry = Memory.page(memory, page);
      if (entry === null || !Prot.mayExecute(entry.prot)) continue;
      pages++;
      const prot = Prot.toText(entry.prot);
      const area = Memory.areaAt(memory, page);
      let last = open.at(-1);
      if (
        last === undefined ||
        last.run.page + last.run.pages !== page ||
        last.run.made !== (made.get(page)?.seq ?? 0) ||
        last.run.prot !== prot ||
        last.run.area !== (area?.start ?? null)
      ) {
        last = begin(memory, page, prot);
        open.push(last);
      }
      last.run.pages++;
      const partly = addContent(memory, page, entry, writers, followed.has(page), last);
      if (last.run.made === 0 || last.run.allocated === 0) older++;
      if (partly || prot.includes('?') || last.run.caller === '') {
        last.run.unknown++;
        unknown++;
      }
    }
    const runs = open.map(closed);
    return { pages, runs, older, unknown };
  };

  const watch: Watch = {
    before: {
      'areas-purged': (event) => {
        for (const { start } of Memory.purgedBy(audit.memory(), event)) given.delete(start);
      },
    },
    after: {
      'area-allocated': (event) => {
        given.set(event.start, doingOf(audit.calls, event));
        followed.allocated(event);
      },
      mapped: (event) => {
        if (Prot.has(event.prot, Prot.executable)) set(event.page, event.pages, doingOf(audit.calls, event));
        else unset(event.page, event.pages);
      },
      unmapped: (event) => unset(event.page, event.pages),
      permission: (event) => {
        if (event.space !== 0) return;
        if ((event.set & Prot.executable) !== 0) set(event.page, event.pages, doingOf(audit.calls, event));
        else if ((event.clear & Prot.executable) !== 0) unset(event.page, event.pages);
      },
    },
  };
  return { watches: [watch, writers.watch], take };
};
