import { Address, PAGE_SIZE } from '../value/address.js';
import { BLOCK, BLOCKS_PER_PAGE, ContentClass, PageContent } from './content.js';
import { Memory, NO_FRAME, type Program } from './memory.js';

/** What is known of the bytes of one page: `known[i]` is 1 where `bytes[i]` is sure. */
export interface KnownBytes {
  readonly bytes: Uint8Array;
  readonly known: Uint8Array;
}

const HEADER_BYTES = 4;

/**
 * Bytes of a JIT image that follow from its geometry: the size in the header, the fill before the code and after the image. The code itself and the
 * exception table behind it are not known.
 */
const imageBytes = (program: Program, trap: number, pageUnits: boolean, offset: number): number | null => {
  if (offset < HEADER_BYTES) {
    const value = pageUnits ? program.bytes / PAGE_SIZE : program.bytes;
    return (value >>> (8 * offset)) & 0xff;
  }
  if (program.start === null || program.length === null) return null;
  const start = Address.minus(program.start, program.chunk);
  if (offset < start || offset >= start + program.proglen) return (trap >>> (8 * (offset & 3))) & 0xff;
  return null;
};

/** Known bytes of the page at a virtual page number, or null where nothing is known of it. `pageUnits`: headers count pages (5.10). */
export const knownBytes = (
  memory: Memory,
  page: number,
  trap: number,
  pageUnits: boolean,
): KnownBytes | null => {
  const entry = Memory.page(memory, page);
  if (entry === null || entry.frame === NO_FRAME) return null;
  const content = Memory.contentOf(memory, entry.frame);
  if (content === null) return null;
  const bytes = new Uint8Array(PAGE_SIZE);
  const known = new Uint8Array(PAGE_SIZE);
  for (let block = 0; block < BLOCKS_PER_PAGE; block++) {
    const from = block * BLOCK;
    switch (PageContent.classAt(content, block)) {
      case ContentClass.zero:
        known.fill(1, from, from + BLOCK);
        break;
      case ContentClass.trap: {
        const word = PageContent.refAt(content, block);
        for (let i = from; i < from + BLOCK; i++) bytes[i] = (word >>> (8 * (i & 3))) & 0xff;
        known.fill(1, from, from + BLOCK);
        break;
      }
      case ContentClass.bytes:
        if (content.bytes === null) break;
        bytes.set(content.bytes.subarray(from, from + BLOCK), from);
        known.fill(1, from, from + BLOCK);
        break;
      case ContentClass.program: {
        const program = Memory.program(memory, PageContent.refAt(content, block));
        if (program === null) break;
        const base = Address.minus(Address.of(page, from), program.chunk);
        for (let i = 0; i < BLOCK; i++) {
          const byte = imageBytes(program, trap, pageUnits, base + i);
          if (byte === null) continue;
          bytes[from + i] = byte;
          known[from + i] = 1;
        }
        break;
      }
      default:
        break;
    }
  }
  if (content.seen !== null)
    for (const [offset, value] of content.seen)
      for (let i = 0; i < 4; i++) {
        bytes[offset + i] = (value >>> (8 * i)) & 0xff;
        known[offset + i] = 1;
      }
  return { bytes, known };
};
