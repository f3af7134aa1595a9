/**
 * References to single pages of a vmalloc area (mm/vmalloc.c, mm/page_alloc.c): what is left in use when the area is freed while somebody else still holds
 * one of its pages. To 5.18-rc3 a huge backing page is one compound page, whose pages share the count of their head; from 5.18-rc4 on
 * (3b8000ae185c) it is split into pages that each have a count of their own.
 *
 * Modelled: get_page, put_page, free of the area. Left out on purpose: mappings of the pages, their owners' flags.
 */
import type { Profile } from '../profile/profile.js';

/** How pages of a large block are counted. */
export type Backing = 'compound' | 'split';

/** Huge vmalloc by default came with compound pages; opt-in came with split ones. */
export const backingOf = ({ hugeVmalloc }: Pick<Profile, 'hugeVmalloc'>): Backing =>
  hugeVmalloc === 'opt-out' ? 'compound' : 'split';

export interface PageReferences {
  /** get_page of one page: by number in the area. */
  readonly get: (page: number) => void;
  /** put_page of it. Returns false for a count that is 0 already ("Bad page state"). */
  readonly put: (page: number) => boolean;
  /** vfree: the area gives back its own references. Returns the pages that go to the page allocator. */
  readonly free: () => number;
  /** Pages that are still in use. */
  readonly held: () => number;
}

/** Counts of an area of `pages` pages in blocks of 2 to the power of `order`. */
export const pageReferences = (backing: Backing, pages: number, order: number): PageReferences => {
  const block = 2 ** order;
  const headOf = (page: number): number => (backing === 'compound' ? page - (page % block) : page);
  const counts = new Map<number, number>();
  for (let page = 0; page < pages; page++) counts.set(headOf(page), 1);
  const size = backing === 'compound' ? block : 1;
  const drop = (head: number): number => {
    const count = (counts.get(head) ?? 0) - 1;
    counts.set(head, count);
    return count === 0 ? size : 0;
  };
  return {
    get: (page) => {
      counts.set(headOf(page), (counts.get(headOf(page)) ?? 0) + 1);
    },
    put: (page) => {
      if ((counts.get(headOf(page)) ?? 0) <= 0) return false;
      drop(headOf(page));
      return true;
    },
    free: () => [...counts.keys()].reduce((given, head) => given + drop(head), 0),
    held: () => [...counts.values()].reduce((sum, count) => sum + (count > 0 ? size : 0), 0),
  };
};
