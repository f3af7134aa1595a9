import type { Address } from '../value/address.js';
import { kindOf, type Common } from './kind.js';

/** Bytes were copied to memory. What is known of them: see `what`. */
export interface Copied extends Common {
  readonly kind: 'copied';
  readonly to: Address;
  readonly length: number;
  /** `image`: a JIT image of the chunk's program; `code`: other code; `instruction`: a patch of live code. */
  readonly what: string;
  /** `poke` (text poke), `store` (direct store), `user-alias`, `fixmap`. */
  readonly way: string;
}
export const Copied = kindOf<Copied>()('copied', 30, 'bytes were copied to memory', {
  to: ['address', 'destination'],
  length: ['uint', 'bytes'],
  what: ['text', 'image, code or instruction'],
  way: ['text', 'poke, store, user-alias or fixmap'],
});

export interface Filled extends Common {
  readonly kind: 'filled';
  readonly to: Address;
  readonly length: number;
  /** The repeated 32-bit little-endian word (0xcccccccc, 0, a break instruction). */
  readonly pattern: number;
  readonly way: string;
}
export const Filled = kindOf<Filled>()('filled', 31, 'memory was filled with a pattern', {
  to: ['address', 'destination'],
  length: ['uint', 'bytes'],
  pattern: ['uint', 'the repeated 32-bit little-endian word'],
  way: ['text', 'poke or store'],
});

/** Content seen by the kernel itself (a header field in a probe's arguments). */
export interface Seen extends Common {
  readonly kind: 'seen';
  readonly at: Address;
  /** Little-endian 32-bit value found there. */
  readonly value: number;
}
export const Seen = kindOf<Seen>()('seen', 32, 'content that the recording shows at an address', {
  at: ['address', 'where'],
  value: ['uint', '32-bit little-endian value'],
});

/** Content as a dump gives it. Class as in core/memory/content.ts. */
export interface Content extends Common {
  readonly kind: 'content';
  /** Frame: pfn, or name below 0. */
  readonly frame: number;
  /** First 64-byte block in the page and how many blocks. */
  readonly block: number;
  readonly blocks: number;
  readonly class: number;
  readonly ref: number;
  /** Known bytes of these blocks, or empty. */
  readonly bytes: Uint8Array;
}
export const Content = kindOf<Content>()('content', 33, 'content of 64-byte blocks of one page as given', {
  frame: ['int', 'pfn, or a negative name'],
  block: ['uint', 'first 64-byte block in the page'],
  blocks: ['uint', 'how many blocks'],
  class: ['uint', 'content class'],
  ref: ['uint', 'event that wrote it, or 0'],
  bytes: ['bytes', 'the bytes, or empty where only the class is known'],
});

/** Translations were flushed on all CPUs. */
export interface TlbFlushed extends Common {
  readonly kind: 'tlb-flushed';
  readonly page: number;
  /** Pages; 0: everything. */
  readonly pages: number;
  readonly why: string;
}
export const TlbFlushed = kindOf<TlbFlushed>()(
  'tlb-flushed',
  34,
  'translations were flushed on all CPUs',
  {
    page: ['page', 'first page'],
    pages: ['uint', 'how many; 0: everything'],
    why: ['text', 'split, cpa or purge'],
  },
  { changesMemory: false },
);

/** The instruction caches of all CPUs were made to see what was written. */
export interface IcacheFlushed extends Common {
  readonly kind: 'icache-flushed';
  readonly at: Address;
  readonly length: number;
}
export const IcacheFlushed = kindOf<IcacheFlushed>()(
  'icache-flushed',
  35,
  'instruction caches were flushed on all CPUs',
  {
    at: ['address', 'first byte'],
    length: ['uint', 'bytes'],
  },
  { changesMemory: false },
);
