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
  /** Of the whole page when uniform, else 64 entries each. */
  readonly classes: Uint8Array;
  readonly refs: Float64Array;
  /** Bytes known from a dump or seen; null where none are. Only blocks of class `bytes` (or the words seen) are valid. */
  readonly bytes: Uint8Array | null;
  /** Single 32-bit words seen by the kernel: offset in the page -> value. */
  readonly seen: ReadonlyMap<number, number> | null;
}

const uniformPage = (cls: number, ref: number): PageContent =>
  Object.freeze({
    owner: null,
    uniform: true,
    classes: Uint8Array.of(cls),
    refs: Float64Array.of(ref),
    bytes: null,
    seen: null,
  });

const PLAIN = CONTENT_CLASSES.map((_, cls) => uniformPage(cls, 0));

export const PageContent = Object.freeze({
  /** A page of one kind; shared between pages. */
  uniform(cls: number, ref: number): PageContent {
    return ref === 0 ? (PLAIN[cls] as PageContent) : uniformPage(cls, ref);
  },

  classAt(content: PageContent, block: number): number {
    return content.classes[content.uniform ? 0 : block] as number;
  },

  refAt(content: PageContent, block: number): number {
    return content.refs[content.uniform ? 0 : block] as number;
  },

  /** A copy that may be written and belongs to `token`. */
  writable(content: PageContent, token: object): PageContent {
    if (!content.uniform && content.owner === token) return content;
    return {
      owner: token,
      uniform: false,
      classes: content.uniform
        ? new Uint8Array(BLOCKS_PER_PAGE).fill(content.classes[0] as number)
        : content.classes.slice(),
      refs: content.uniform
        ? new Float64Array(BLOCKS_PER_PAGE).fill(content.refs[0] as number)
        : content.refs.slice(),
      bytes: content.bytes === null ? null : content.bytes.slice(),
      seen: content.seen,
    };
  },
});
