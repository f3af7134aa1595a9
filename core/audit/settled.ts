import type { Event } from '../event/event.js';
import { Space } from '../event/pages.js';
import { Memory } from '../memory/memory.js';
import { NODE_PAGES, PageTable } from '../memory/pageTable.js';
import type { Audit, Watch } from './rule.js';

interface Range {
  readonly page: number;
  pages: number;
}

const LARGE_PAGES = 512;

/**
 * Tells a rule which virtual pages to look at again, once the call that changes them has ended: what is so only while set_memory_* is on its way is
 * the kernel's own affair. `seq` is the last event that changed the range.
 */
export const settledPages = (audit: Audit, look: (page: number, seq: number) => void): Watch => {
  const waiting = new Map<number, { ranges: Range[]; seq: number }>();

  const lookAll = (ranges: readonly Range[], seq: number): void => {
    for (const { page, pages } of ranges) for (let i = 0; i < pages; i++) look(page + i, seq);
  };

  const touch = (event: Event, page: number, pages: number): void => {
    const call = audit.calls.of(event)?.permission ?? null;
    if (call === null) return lookAll([{ page, pages }], event.seq);
    const known = waiting.get(call.seq);
    if (known === undefined) {
      waiting.set(call.seq, { ranges: [{ page, pages }], seq: event.seq });
      return;
    }
    known.seq = event.seq;
    const last = known.ranges.at(-1) as Range;
    if (page === last.page + last.pages) last.pages += pages;
    else if (page < last.page || page + pages > last.page + last.pages) known.ranges.push({ page, pages });
  };

  /** The pages that frames back. */
  const touchFrames = (event: Event, pfn: number, pages: number): void => {
    const { direct } = audit.memory();
    for (let i = 0; i < pages; i++) {
      const node = PageTable.node(direct, pfn + i);
      const page = node === undefined ? -1 : (node.frame[(pfn + i) % NODE_PAGES] as number);
      if (page >= 0) touch(event, page, 1);
    }
  };

  return {
    begin: () => {
      for (const [page] of PageTable.pages(audit.memory().virtual)) look(page, 0);
    },
    after: {
      mapped: (event) => touch(event, event.page, event.pages),
      unmapped: (event) => touch(event, event.page, event.pages),
      forgotten: (event) => touch(event, event.page, event.pages),
      identified: (event) => touchFrames(event, event.page, event.pages),
      'direct-mapped': (event) => touchFrames(event, event.page, event.pages),
      permission: (event) =>
        event.space === Space.direct
          ? touchFrames(event, event.page, event.pages)
          : touch(event, event.page, event.pages),
      collapsed: (event) =>
        event.space === Space.direct ? undefined : touch(event, event.page, LARGE_PAGES),
    },
    ended: (call, seq) => {
      const left = call.permission === call ? waiting.get(call.seq) : undefined;
      if (left === undefined) return;
      waiting.delete(call.seq);
      lookAll(left.ranges, Math.min(left.seq, seq));
    },
    end: () => {
      for (const { ranges, seq } of waiting.values()) lookAll(ranges, seq);
      waiting.clear();
    },
  };
};

/** Entry of a page and of the direct-map alias of its frame. */
export const pagePair = (memory: Memory, page: number) => {
  const entry = Memory.page(memory, page);
  return { entry, alias: entry === null ? null : Memory.alias(memory, entry.frame) };
};
