import type { Address } from '../value/address.js';
import type { Word } from '../value/words.js';
import { kindOf, type Common } from './kind.js';

/**
 * What a snapshot says of memory and no other kind can say without side effects. These events stand in snapshots, never in a log; each carries as
 * its seq the event that caused what it restores.
 */

/** Pages as they are, with nothing else touched: neither frames, nor content, nor the area. */
export interface PagesKnown extends Common {
  readonly kind: 'pages-known';
  readonly space: number;
  readonly page: number;
  readonly pages: number;
  /** log2 of the leaf size in bytes; 1: not known. */
  readonly shift: number;
  readonly prot: number;
  /** Virtual: first frame (pfn up, names down, -1 for all). Direct map: first virtual page backed, or -1. */
  readonly frame: number;
  /** Bit 0: the frame backed an executable page at some time. */
  readonly mark: number;
  /** Direct map: leaf shift of the 2M regions around; 0: not known. */
  readonly leaf: number;
  /** How much later the event is that caused what is said of each next page: steps of one call change page after page. */
  readonly stride: number;
}
export const PagesKnown = kindOf<PagesKnown>()('pages-known', 70, 'snapshot: pages as they were', {
  space: ['uint', '0: virtual pages, 1: direct map by pfn'],
  page: ['page', 'first page'],
  pages: ['uint', 'how many'],
  shift: ['uint', 'log2 of the leaf size in bytes; 1: not known'],
  prot: ['uint', 'permission bits'],
  frame: ['int', 'first frame (of the direct map: first virtual page backed); -1: none'],
  mark: ['uint', 'bit 0: it backed an executable page at some time'],
  leaf: ['uint', 'direct map: leaf shift of the regions around; 0: not known'],
  stride: ['uint', 'how much greater the causing event of each next page is'],
});

/** Frames of an area, kept until they are released. */
export interface AreaBacked extends Common {
  readonly kind: 'area-backed';
  readonly start: number;
  /** First page, counted from the start of the area. */
  readonly index: number;
  readonly pages: number;
  readonly frame: number;
}
export const AreaBacked = kindOf<AreaBacked>()('area-backed', 71, 'snapshot: frames that an area holds', {
  start: ['page', 'first page of the area'],
  index: ['uint', 'first page in the area'],
  pages: ['uint', 'how many'],
  frame: ['int', 'first frame: pfn, or a negative name'],
});

/** Names of frames and the virtual pages they were mapped at: name, name-1, … at page, page+1, …. */
export interface FramesNamed extends Common {
  readonly kind: 'frames-named';
  readonly frame: number;
  readonly page: number;
  readonly pages: number;
}
export const FramesNamed = kindOf<FramesNamed>()(
  'frames-named',
  72,
  'frames that have names: their physical address is not known',
  {
    frame: ['int', 'first name; following names count down'],
    page: ['page', 'virtual page of the first'],
    pages: ['uint', 'how many'],
  },
);

/** A word that the kernel saw in a frame. */
export interface WordSeen extends Common {
  readonly kind: 'word-seen';
  readonly frame: number;
  readonly offset: number;
  readonly value: number;
}
export const WordSeen = kindOf<WordSeen>()('word-seen', 73, 'snapshot: a word that was seen in a frame', {
  frame: ['int', 'pfn, or a negative name'],
  offset: ['uint', 'byte in the page'],
  value: ['uint', '32-bit little-endian value'],
});

/** A program: what the events of its life so far have made of it. */
export interface ProgramKnown extends Common {
  readonly kind: 'program-known';
  readonly program: number;
  readonly pointer: Word;
  readonly chunk: Address;
  readonly bytes: number;
  readonly proglen: number;
  readonly type: string;
  /** Start of the code; zero: not known yet. */
  readonly start: Address;
  readonly length: number;
  readonly name: string;
  readonly id: number;
  readonly symbols: number;
  readonly state: string;
}
export const ProgramKnown = kindOf<ProgramKnown>()('program-known', 74, 'snapshot: a program as it was', {
  program: ['uint', 'number of the program'],
  pointer: ['word', 'struct bpf_prog *'],
  chunk: ['address', 'first byte of its memory'],
  bytes: ['uint', 'size of its memory'],
  proglen: ['uint', 'image length asked for'],
  type: ['text', 'program, function, classic or dispatcher'],
  start: ['address', 'bpf_func; 0: not known yet'],
  length: ['uint', 'jited_len in bytes'],
  name: ['text', 'symbol that names it; empty: none yet'],
  id: ['uint', 'program id; 0: unknown'],
  symbols: ['uint', 'published symbols that begin at its entry'],
  state: ['text', 'allocated, written, live or closing'],
});

/** Single values. Its seq and time are those of the memory. */
export interface StateKnown extends Common {
  readonly kind: 'state-known';
  readonly lowestName: number;
  readonly charged: number;
  readonly chargedKnown: number;
  readonly limit: number;
}
export const StateKnown = kindOf<StateKnown>()('state-known', 75, 'snapshot: single values; the last event', {
  lowestName: ['int', 'lowest frame name given so far'],
  charged: ['int', 'JIT memory charged, in bytes'],
  chargedKnown: ['uint', '0: what is charged is not known'],
  limit: ['int', 'bpf_jit_limit in bytes; -1: unknown'],
});
