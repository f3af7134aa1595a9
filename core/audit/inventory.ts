/** What is executable at the end, and where it comes from: the table an auditor signs. */
import { BLOCK, BLOCKS_PER_PAGE, CONTENT_CLASSES, PageContent } from '../memory/content.js';
import { Memory, NO_FRAME } from '../memory/memory.js';
import { PageTable, type PageEntry } from '../memory/pageTable.js';
import { PAGE_SIZE } from '../value/address.js';
import { Prot } from '../value/prot.js';
import type { Audit, Watch } from './rule.js';

/** Bytes by what lies there. */
export type ContentBytes = Readonly<Record<(typeof CONTENT_CLASSES)[number], number>>;

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
  /** Event that made the pages executable; 0: they were so before the trace. */
  readonly made: number;
  readonly content: ContentBytes;
  /** Programs whose images lie there: number and bytes. */
  readonly programs: readonly { readonly number: number; readonly bytes: number }[];
}

export interface Inventory {
  readonly pages: number;
  readonly runs: readonly ExecutableRun[];
  /** Pages that were executable before the trace began, or whose area is older than it. */
  readonly older: number;
  /** Pages of which some byte, the permission or the area is unknown. */
  readonly unknown: number;
}

const newContent = (): Record<(typeof CONTENT_CLASSES)[number], number> => ({
  unknown: 0,
  trap: 0,
  zero: 0,
  program: 0,
  leftover: 0,
  bytes: 0,
  code: 0,
});

interface OpenRun {
  readonly run: Omit<ExecutableRun, 'pages' | 'programs'> & { pages: number };
  readonly content: Record<(typeof CONTENT_CLASSES)[number], number>;
  readonly programs: Map<number, number>;
}

/** Adds the blocks of a page; whether some byte of it is unknown. */
const addContent = (memory: Memory, entry: PageEntry, to: OpenRun): boolean => {
  const content = entry.frame === NO_FRAME ? null : Memory.contentOf(memory, entry.frame);
  if (content === null) {
    to.content.unknown += PAGE_SIZE;
    return true;
  }
  let unknown = false;
  for (let block = 0; block < BLOCKS_PER_PAGE; block++) {
    const name = CONTENT_CLASSES[PageContent.classAt(content, block)] ?? 'unknown';
    to.content[name] += BLOCK;
    if (name === 'unknown') unknown = true;
    if (name !== 'program') continue;
    const number = PageContent.refAt(content, block);
    to.programs.set(number, (to.programs.get(number) ?? 0) + BLOCK);
  }
  return unknown;
};

/** Follows which event made each page executable. */
export const inventoryOf = (audit: Audit): { readonly watch: Watch; readonly take: () => Inventory } => {
  const made = new Map<number, number>();
  const set = (page: number, pages: number, seq: number): void => {
    for (let i = 0; i < pages; i++) made.set(page + i, seq);
  };
  const unset = (page: number, pages: number): void => {
    for (let i = 0; i < pages; i++) made.delete(page + i);
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
      const area = Memory.areaAt(memory, page);
      const prot = Prot.toText(entry.prot);
      const by = made.get(page) ?? 0;
      let last = open.at(-1);
      if (
        last === undefined ||
        last.run.page + last.run.pages !== page ||
        last.run.made !== by ||
        last.run.prot !== prot ||
        last.run.area !== (area?.start ?? null)
      ) {
        const content = newContent();
        last = {
          run: {
            page,
            pages: 0,
            prot,
            area: area?.start ?? null,
            caller: area?.caller ?? '',
            allocated: area?.since ?? 0,
            made: by,
            content,
          },
          content,
          programs: new Map(),
        };
        open.push(last);
      }
      last.run.pages++;
      const partly = addContent(memory, entry, last);
      if (by === 0 || last.run.allocated === 0) older++;
      if (partly || prot.includes('?') || area === null) unknown++;
    }
    const runs: ExecutableRun[] = [];
    for (const { run, programs } of open)
      runs.push({ ...run, programs: Array.from(programs, ([number, bytes]) => ({ number, bytes })) });
    return { pages, runs, older, unknown };
  };

  return {
    watch: {
      after: {
        mapped: (event) => {
          if (Prot.has(event.prot, Prot.executable)) set(event.page, event.pages, event.seq);
          else unset(event.page, event.pages);
        },
        unmapped: (event) => unset(event.page, event.pages),
        permission: (event) => {
          if (event.space !== 0) return;
          if ((event.set & Prot.executable) !== 0) set(event.page, event.pages, event.seq);
          else if ((event.clear & Prot.executable) !== 0) unset(event.page, event.pages);
        },
      },
    },
    take,
  };
};
