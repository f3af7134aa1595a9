import { NO_FRAME } from '../core/memory/memory.js';
import { NODE_PAGES, PageTable, type PageEntry, type PageNode } from '../core/memory/pageTable.js';
import { pageText } from '../core/value/address.js';
import type { EntityDiff } from './diffStates.js';
import { found, pairsOf, type Found } from './found.js';
import { protText, sizeOf } from './ranges.js';

/** What is shown of a page. */
export interface ShownPage {
  readonly page_size: number | null;
  readonly prot: string;
  readonly phys: string | null;
  /** Of the direct map: the virtual address it backs. */
  readonly backs?: string | null;
}

/** Pages that changed in the same way. `start` of a direct-map range is its physical address. */
export interface ChangedRange {
  readonly start: string;
  readonly end: string;
  /** Null: there was nothing. */
  readonly from: ShownPage | null;
  /** Null: there is nothing any more. */
  readonly to: ShownPage | null;
}

/** Which table it is, and whether physical addresses count. */
export interface Look {
  readonly direct: boolean;
  readonly physical: boolean;
}

/** What is shown of a page, as numbers; `shift` 0: there is nothing. */
interface Side {
  shift: number;
  prot: number;
  /** Frame, or page backed; NO_FRAME where it is not known or not shown. */
  frame: number;
}

interface Run {
  readonly page: number;
  pages: number;
  readonly from: Side;
  readonly to: Side;
}

const side = (): Side => ({ shift: 0, prot: 0, frame: NO_FRAME });

/** Whether `b`, `pages` pages after `a`, looks as the continuation of `a` (pages 0: as the same page). */
const alike = (a: Side, b: Side, pages: number): boolean =>
  a.shift === b.shift &&
  (a.shift === 0 ||
    (b.frame === (a.frame < 0 ? NO_FRAME : a.frame + pages) &&
      (a.prot === b.prot || protText(a.prot) === protText(b.prot))));

/** Joins pages that changed in the same way; they come in ascending order. */
class Runs {
  readonly runs: Run[] = [];
  readonly from = side();
  readonly to = side();
  readonly #frames: boolean;

  constructor({ direct, physical }: Look) {
    this.#frames = direct || physical;
  }

  /** Sets one side of the next page. */
  put(into: Side, shift: number, prot: number, frame: number): void {
    into.shift = shift;
    into.prot = prot;
    into.frame = this.#frames && frame > NO_FRAME ? frame : NO_FRAME;
  }

  /** The page whose sides were put. */
  add(page: number): void {
    const { from, to, runs } = this;
    if (alike(from, to, 0)) return;
    const last = runs.at(-1);
    if (
      last !== undefined &&
      last.page + last.pages === page &&
      alike(last.from, from, last.pages) &&
      alike(last.to, to, last.pages)
    )
      last.pages++;
    else runs.push({ page, pages: 1, from: { ...from }, to: { ...to } });
  }
}

const shownPage = (page: number, { shift, prot, frame }: Side, look: Look): ShownPage | null => {
  if (shift === 0) return null;
  const common = { page_size: sizeOf(shift), prot: protText(prot) };
  const text = frame < 0 ? null : pageText(frame);
  return look.direct ? { ...common, phys: pageText(page), backs: text } : { ...common, phys: text };
};

const told = (runs: readonly Run[], look: Look): readonly ChangedRange[] =>
  runs.map(({ page, pages, from, to }) => ({
    start: pageText(page),
    end: pageText(page + pages),
    from: shownPage(page, from, look),
    to: shownPage(page, to, look),
  }));

const putSlot = (runs: Runs, into: Side, node: PageNode | undefined, slot: number): void => {
  if (node === undefined || node.shift[slot] === 0) runs.put(into, 0, 0, NO_FRAME);
  else runs.put(into, node.shift[slot] as number, node.prot[slot] as number, node.frame[slot] as number);
};

/** Pages that look another way in one table than in the other, as runs of those that changed in the same way. */
export const changedTables = (a: PageTable, b: PageTable, look: Look): Found<ChangedRange> => {
  const runs = new Runs(look);
  for (const [first, from, to] of PageTable.changedNodes(a, b))
    for (let slot = 0; slot < NODE_PAGES; slot++) {
      if ((from?.shift[slot] ?? 0) === 0 && (to?.shift[slot] ?? 0) === 0) continue;
      putSlot(runs, runs.from, from, slot);
      putSlot(runs, runs.to, to, slot);
      runs.add(first + slot);
    }
  return found(runs.runs.length, () => told(runs.runs, look));
};

const putEntry = (runs: Runs, into: Side, entry: PageEntry | null): void => {
  if (entry === null) runs.put(into, 0, 0, NO_FRAME);
  else runs.put(into, entry.shift, entry.prot, entry.frame);
};

/** The same of single pages. */
export const changedRanges = (diff: EntityDiff<PageEntry>, look: Look): readonly ChangedRange[] => {
  const runs = new Runs(look);
  for (const [page, from, to] of pairsOf(diff)) {
    putEntry(runs, runs.from, from);
    putEntry(runs, runs.to, to);
    runs.add(page);
  }
  return told(runs.runs, look);
};
