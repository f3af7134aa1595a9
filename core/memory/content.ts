/** What lies in a 64-byte block of a frame. */
export const ContentClass = Object.freeze({
  /** Nothing is known. */
  unknown: 0,
  /** Filled with a trap pattern; `ref` is the 32-bit word. */
  trap: 1,
  zero: 2,
  /** A JIT image (`ref` = number of the program); a leftover once that program is freed. */
  program: 3,
  /** Whatever lay in this memory when it was allocated. */
  leftover: 4,
  /** Bytes known from a dump. */
  bytes: 5,
  /** Code other than a JIT image, content not known (dispatcher halves, patched code). */
  code: 6,
});
export const CONTENT_CLASSES = ['unknown', 'trap', 'zero', 'program', 'leftover', 'bytes', 'code'] as const;

export const BLOCK = 64;
export const BLOCKS_PER_PAGE = 64;

/** Content of one page. A page of one kind is kept as one shared object. */
export interface PageContent {
  readonly owner: object | null;
  readonly uniform: boolean;
  /** Class and ref of the whole page when uniform, else of each block, as one number each (`Cell`). */
  readonly cells: readonly number[];
  /** Bytes known from a dump or seen; null where none are. Only blocks of class `bytes` (or the words seen) are valid. */
  readonly bytes: Uint8Array | null;
  /** Single 32-bit words seen by the kernel: offset in the page -> value. */
  readonly seen: ReadonlyMap<number, number> | null;
}

const CLASSES = 8;

/** Class and ref in one number: a page is copied for each change of a block, and two typed arrays are ten times as dear as one plain one. */
export const Cell = Object.freeze({
  /** `ref` below 2^50. */
  of: (cls: number, ref: number): number => ref * CLASSES + cls,
  class: (cell: number): number => cell % CLASSES,
  ref: (cell: number): number => Math.floor(cell / CLASSES),
});

const uniformPage = (cell: number): PageContent =>
  Object.freeze({ owner: null, uniform: true, cells: [cell], bytes: null, seen: null });

const PLAIN = CONTENT_CLASSES.map((_, cls) => uniformPage(cls));

export const PageContent = Object.freeze({
  /** A page of one kind; shared between pages. */
  uniform(cls: number, ref: number): PageContent {
    return ref === 0 ? (PLAIN[cls] as PageContent) : uniformPage(Cell.of(cls, ref));
  },

  cellAt(content: PageContent, block: number): number {
    return content.cells[content.uniform ? 0 : block] as number;
  },

  classAt(content: PageContent, block: number): number {
    return Cell.class(PageContent.cellAt(content, block));
  },

  refAt(content: PageContent, block: number): number {
    return Cell.ref(PageContent.cellAt(content, block));
  },

  /** A copy that may be written and belongs to `token`. */
  writable(content: PageContent, token: object): WritablePage {
    if (!content.uniform && content.owner === token) return content as WritablePage;
    return {
      owner: token,
      uniform: false,
      cells: content.uniform
        ? new Array<number>(BLOCKS_PER_PAGE).fill(content.cells[0] as number)
        : content.cells.slice(),
      bytes: content.bytes === null ? null : content.bytes.slice(),
      seen: content.seen,
    };
  },
});

/** A page that the present batch may write. */
export interface WritablePage extends PageContent {
  readonly uniform: false;
  readonly cells: number[];
  bytes: PageContent['bytes'];
  seen: PageContent['seen'];
}
