/** Which event wrote each 64-byte block of pages: text copies and fills through their virtual addresses. */
import { BLOCK, BLOCKS_PER_PAGE } from '../memory/content.js';
import { PAGE_SIZE, type Address } from '../value/address.js';
import type { CallStack } from './calls.js';
import { doingOf, type Doing } from './doing.js';
import type { Watch } from './rule.js';

export interface Writers {
  readonly watch: Watch;
  /** Null: nothing in the trace wrote there. */
  readonly of: (page: number, block: number) => Doing | null;
}

export const writersOf = (calls: CallStack): Writers => {
  /** One writer for all of a page, or one for each block. */
  const pages = new Map<number, Doing | (Doing | null)[]>();

  const wrote = (to: Address, bytes: number, by: Doing): void => {
    let { page, offset }: { page: number; offset: number } = to;
    for (let left = bytes; left > 0; page++, offset = 0) {
      const here = Math.min(left, PAGE_SIZE - offset);
      left -= here;
      if (here === PAGE_SIZE) {
        pages.set(page, by);
        continue;
      }
      const known = pages.get(page);
      const blocks = Array.isArray(known)
        ? known
        : new Array<Doing | null>(BLOCKS_PER_PAGE).fill(known ?? null);
      blocks.fill(by, Math.floor(offset / BLOCK), Math.ceil((offset + here) / BLOCK));
      pages.set(page, blocks);
    }
  };
  const forget = (page: number, count: number): void => {
    if (pages.size > 0) for (let i = 0; i < count; i++) pages.delete(page + i);
  };

  return {
    watch: {
      after: {
        mapped: (event) => forget(event.page, event.pages),
        unmapped: (event) => forget(event.page, event.pages),
        copied: (event) => wrote(event.to, event.length, doingOf(calls, event)),
        filled: (event) => wrote(event.to, event.length, doingOf(calls, event)),
      },
    },
    of: (page, block) => {
      const known = pages.get(page);
      if (known === undefined) return null;
      return Array.isArray(known) ? (known[block] ?? null) : known;
    },
  };
};
