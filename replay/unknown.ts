import { Memory } from '../core/memory/memory.js';
import { PageTable } from '../core/memory/pageTable.js';
import { pageText } from '../core/value/address.js';
import { Prot } from '../core/value/prot.js';
import { hasGuard } from './ranges.js';

/** Pages of which something that matters is not known. */
export interface UnknownRange {
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
  readonly why: string;
}

const MATTERS = Prot.unknown(Prot.present | Prot.writable | Prot.executable);
const NEVER_WHOLE = 'only a change of its permission was seen';

interface Run {
  readonly page: number;
  pages: number;
  readonly why: string;
}

/** Adds a page to the last run, or begins one. Pages come in order. */
const addPage = (runs: Run[], page: number, why: string): void => {
  const last = runs.at(-1);
  if (last !== undefined && last.page + last.pages === page && last.why === why) last.pages++;
  else runs.push({ page, pages: 1, why });
};

/** Why a page was forgotten, and when; the latest time counts. */
const whyAt = (memory: Memory, page: number): { readonly why: string; readonly seq: number } | null =>
  memory.unknown.findLast((u) => page >= u.page && page < u.page + u.pages) ?? null;

/** Pages that were forgotten, of which nothing was observed since, and whose area still lives. */
const blankPages = (memory: Memory): ReadonlyMap<number, string> => {
  const blank = new Map<number, string>();
  for (const { page, pages, why } of memory.unknown)
    for (const area of areasIn(memory, page, pages)) {
      if (area.state !== 'live') continue;
      const end = Math.min(page + pages, area.start + area.pages - (hasGuard(area.flags) ? 1 : 0));
      for (let at = Math.max(page, area.start); at < end; at++)
        if (PageTable.get(memory.virtual, at) === null) blank.set(at, why);
    }
  return blank;
};

function* areasIn(memory: Memory, page: number, pages: number) {
  const first = Memory.areaAt(memory, page);
  if (first !== null) yield first;
  for (const area of Memory.areas(memory)) if (area.start > page && area.start < page + pages) yield area;
}

/** What is not known, as maximal ranges with the reason. */
export const unknownRanges = (memory: Memory): readonly UnknownRange[] => {
  const pages = new Map(blankPages(memory));
  for (const [page, node, slot] of PageTable.pages(memory.virtual))
    if (((node.prot[slot] as number) & MATTERS) !== 0)
      pages.set(page, whyAt(memory, page)?.why ?? NEVER_WHOLE);
  const runs: Run[] = [];
  for (const [page, why] of [...pages].sort(([a], [b]) => a - b)) addPage(runs, page, why);
  return runs.map((run) => ({
    start: pageText(run.page),
    end: pageText(run.page + run.pages),
    why: run.why,
  }));
};
