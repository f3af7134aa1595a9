/** A page range over a range of events during which its permission, its leaf size and the classes of its content stayed the same. */
export interface Rectangle {
  /** 0: virtual pages, 1: direct map by pfn. */
  readonly space: number;
  /** First page; a multiple of `pages`. */
  readonly page: number;
  /** A power of two from 1 to 512: so that every rectangle over a page is found under one of ten keys. */
  readonly pages: number;
  /** The first event of the outermost call in which it became so. Between it and `from` the pages were on their way. */
  readonly since: number;
  /** The last event of that call that changed one of the pages; 0: before the first event. */
  readonly from: number;
  /** `since` of what came after; null: still so. */
  readonly to: number | null;
  /** Permission bits, as in memory; 0 where the pages are not mapped. */
  readonly prot: number;
  /** log2 of the leaf size; 1: not known; 0: not mapped. */
  readonly shift: number;
  /** Classes of content in the pages, one bit each (bit n: class n); 0: nothing known, and in the direct map. */
  readonly classes: number;
  /** The outermost call in which it became so: its number; 0: outside any. */
  readonly call: number;
}

/** What became of rectangles since the last time somebody asked: rows to be written. */
export interface RectangleChanges {
  /** New ones, in the order in which they began. */
  readonly opened: readonly Rectangle[];
  /** Of those told as opened before: how they ended, by their key (space, pages, page, from). */
  readonly closed: readonly Rectangle[];
  /** Of those told as opened before: smaller ones take their place. */
  readonly dropped: readonly Rectangle[];
}

export const LARGEST = 512;

/** Splits a range into aligned powers of two. */
export const aligned = (first: number, pages: number, tell: (page: number, pages: number) => void): void => {
  let page = first;
  const end = first + pages;
  while (page < end) {
    let size = 1;
    while (size < LARGEST && page % (size * 2) === 0 && page + size * 2 <= end) size *= 2;
    tell(page, size);
    page += size;
  }
};
