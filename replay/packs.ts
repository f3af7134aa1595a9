import { BLOCK, BLOCKS_PER_PAGE, ContentClass, PageContent } from '../core/memory/content.js';
import { CHUNK } from '../core/memory/evolvePacks.js';
import { Memory, NO_FRAME, type Pack } from '../core/memory/memory.js';
import { pageText, PAGE_SIZE } from '../core/value/address.js';

/** Bytes of a pack by what lies there. */
export interface PackContent {
  readonly program: number;
  readonly trap: number;
  readonly zero: number;
  /** Code of programs that are gone, and whatever lay in the memory before. */
  readonly leftover: number;
  readonly unknown: number;
}

export interface ShownPack {
  readonly start: string;
  readonly size: number;
  readonly chunks_total: number;
  /** Null where it is not fully known. */
  readonly chunks_used: number | null;
  readonly content: PackContent;
}

const isTaken = (pack: Pack, chunk: number): boolean =>
  ((pack.used[chunk >>> 5] as number) & (1 << (chunk & 31))) !== 0;

/** What lies in one block of a pack: a chunk is a block. */
const classOf = (memory: Memory, content: PageContent, block: number, taken: boolean): keyof PackContent => {
  switch (PageContent.classAt(content, block)) {
    case ContentClass.trap:
      return 'trap';
    case ContentClass.zero:
      return 'zero';
    case ContentClass.program:
      return Memory.program(memory, PageContent.refAt(content, block)) === null ? 'leftover' : 'program';
    case ContentClass.leftover:
      return 'leftover';
    case ContentClass.bytes:
    case ContentClass.code:
      return taken ? 'program' : 'leftover';
    default:
      return 'unknown';
  }
};

/** Content of the page of a pack that begins with chunk `first`, in bytes. */
const addPage = (
  memory: Memory,
  pack: Pack,
  first: number,
  sums: Record<keyof PackContent, number>,
): void => {
  const entry = Memory.page(memory, pack.start + first / BLOCKS_PER_PAGE);
  const content = entry === null || entry.frame === NO_FRAME ? null : Memory.contentOf(memory, entry.frame);
  if (content === null) {
    sums.unknown += PAGE_SIZE;
    return;
  }
  for (let block = 0; block < BLOCKS_PER_PAGE; block++)
    sums[classOf(memory, content, block, isTaken(pack, first + block))] += BLOCK;
};

export const packContent = (memory: Memory, pack: Pack): PackContent => {
  const sums = { program: 0, trap: 0, zero: 0, leftover: 0, unknown: 0 };
  for (let first = 0; first < pack.bytes / CHUNK; first += BLOCKS_PER_PAGE)
    addPage(memory, pack, first, sums);
  return sums;
};

/** All packs, in the order in which the kernel searches them. */
export const packs = (memory: Memory): readonly ShownPack[] =>
  memory.packs.map((pack) => ({
    start: pageText(pack.start),
    size: pack.bytes,
    chunks_total: pack.bytes / CHUNK,
    chunks_used: pack.partial ? null : pack.usedChunks,
    content: packContent(memory, pack),
  }));
