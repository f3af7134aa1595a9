import type { Address } from '../value/address.js';
import { Address as Addresses } from '../value/address.js';
import { Word } from '../value/words.js';
import type { PageContent } from './content.js';
import { PageTable, type PageEntry } from './pageTable.js';
import { SparseMap } from './sparse.js';

/** A vmalloc area. `pages` counts the guard page; frames of its pages are kept after unmapping until they are released. */
export interface Area {
  readonly start: number;
  readonly pages: number;
  readonly flags: number;
  readonly caller: string;
  readonly state: 'live' | 'lazy';
  readonly frames: Float64Array | null;
  readonly since: number;
}

/** A pack and its bitmap: one bit per 64-byte chunk. */
export interface Pack {
  readonly owner: object | null;
  readonly start: number;
  readonly bytes: number;
  readonly used: Uint32Array;
  readonly usedChunks: number;
  /** Some chunks may be taken without our knowing. */
  readonly partial: boolean;
  /** 7.1+: a predictor flush is due before a classic program may use it. */
  readonly dirty: boolean;
}

export type ProgramState = 'allocated' | 'written' | 'live' | 'closing';

export interface Program {
  readonly number: number;
  readonly pointer: Word;
  readonly chunk: Address;
  readonly bytes: number;
  readonly proglen: number;
  readonly type: string;
  readonly start: Address | null;
  readonly length: number | null;
  readonly name: string | null;
  readonly id: number | null;
  /** Published symbols that begin at its entry. */
  readonly symbols: number;
  readonly state: ProgramState;
}

export interface KernelSymbol {
  readonly start: Address;
  readonly end: Address;
  readonly name: string;
  readonly ksym: Word;
  readonly program: number;
  /** The event that published it; 0: older than the recording. */
  readonly since: number;
}

export interface Unknown {
  readonly page: number;
  readonly pages: number;
  readonly why: string;
  readonly seq: number;
}

export interface Counters {
  readonly level2Splits: number;
  readonly level3Splits: number;
  readonly level2Collapses: number;
  readonly level3Collapses: number;
}

/** Executable memory at one moment: a persistent value. */
export interface Memory {
  readonly owner: object | null;
  readonly seq: number;
  readonly time: number;
  readonly virtual: PageTable;
  /** Direct map by pfn. */
  readonly direct: PageTable;
  /** By frameKey. */
  readonly content: SparseMap<PageContent>;
  /** Named frames -> the virtual page they were mapped at. */
  readonly names: SparseMap<number>;
  /** Lowest (most negative) frame name given so far. */
  readonly lowestName: number;
  readonly areas: SparseMap<Area>;
  /** First pages of the areas that were freed lazily: a purge looks at these alone. Follows from `areas`. */
  readonly lazy: SparseMap<number>;
  readonly packs: readonly Pack[];
  readonly programs: SparseMap<Program>;
  /** By the page in which their chunk begins: numbers of programs, each followed by its `chunkBlock`. */
  readonly programsByChunk: SparseMap<readonly number[]>;
  /** Numbers of programs by the page of their struct bpf_prog. */
  readonly programsByPointer: SparseMap<readonly number[]>;
  readonly symbols: SparseMap<readonly KernelSymbol[]>;
  readonly counters: Counters;
  readonly charged: number | null;
  readonly limit: number | null;
  readonly unknown: readonly Unknown[];
  readonly directBase: number;
  readonly vmemmap: Word;
  readonly lost: number;
  /** The last event that says that events were lost; 0: there is none. What is older, and was not seen since, may have changed unseen. */
  readonly lostAt: number;
}

const BLOCK_SHIFT = 6;
const LAST_BLOCK = 63;

/** What `Memory.lazy` is where areas are these. */
export const lazyOf = (areas: SparseMap<Area>, owner: object | null): SparseMap<number> => {
  const starts: number[] = [];
  for (const [start, { state }] of SparseMap.entries(areas)) if (state === 'lazy') starts.push(start);
  return SparseMap.ofNumbers(starts, starts, owner);
};

/** The 64-byte block of its page at which an address lies: with it the program at an address is found without a look at each. */
export const chunkBlock = (at: Address): number => at.offset >> BLOCK_SHIFT;

/** No frame at all (an unknown page whose frame was never given a name). Names begin at -2. */
export const NO_FRAME = -1;
const NAME_BASE = 2 ** 52;

/** Key of a frame in the content map. */
export const frameKey = (frame: number): number => (frame >= 0 ? frame : NAME_BASE - frame);
export const frameOfKey = (key: number): number => (key < NAME_BASE ? key : NAME_BASE - key);

/** What is known before anything happened: nothing. */
export const nothing: Memory = Object.freeze({
  owner: null,
  seq: 0,
  time: 0,
  virtual: PageTable.empty,
  direct: PageTable.empty,
  content: SparseMap.empty<PageContent>(),
  names: SparseMap.empty<number>(),
  lowestName: NO_FRAME,
  areas: SparseMap.empty<Area>(),
  lazy: SparseMap.empty<number>(),
  packs: [],
  programs: SparseMap.empty<Program>(),
  programsByChunk: SparseMap.empty<readonly number[]>(),
  programsByPointer: SparseMap.empty<readonly number[]>(),
  symbols: SparseMap.empty<readonly KernelSymbol[]>(),
  counters: Object.freeze({ level2Splits: 0, level3Splits: 0, level2Collapses: 0, level3Collapses: 0 }),
  charged: 0,
  limit: null,
  unknown: [],
  directBase: 0,
  vmemmap: Word.zero,
  lost: 0,
  lostAt: 0,
});

/** The program of a page (`programsByChunk`) whose chunk begins at or before a block, and last; of several the latest. */
const nearestChunk = (entries: readonly number[], block: number): number | null => {
  let best = -1;
  for (let i = 1; i < entries.length; i += 2) {
    const own = entries[i] as number;
    if (own <= block && (best < 0 || own >= (entries[best] as number))) best = i;
  }
  return best < 0 ? null : (entries[best - 1] as number);
};

export const Memory = Object.freeze({
  /** What is known of a virtual page, or null. */
  page(memory: Memory, page: number): PageEntry | null {
    return PageTable.get(memory.virtual, page);
  },

  /** What is known of the direct-map alias of a frame, or null. */
  alias(memory: Memory, pfn: number): PageEntry | null {
    return pfn < 0 ? null : PageTable.get(memory.direct, pfn);
  },

  /** Leaf shift of the direct-map region around a frame; 0 where it is not known. */
  aliasLeaf(memory: Memory, pfn: number): number {
    return PageTable.node(memory.direct, pfn)?.leaf ?? 0;
  },

  /** The live or lazily freed area that holds a page (guard page included). */
  areaAt(memory: Memory, page: number): Area | null {
    const found = SparseMap.floor(memory.areas, page);
    return found !== null && page < found[1].start + found[1].pages ? found[1] : null;
  },

  packAt(memory: Memory, page: number): Pack | null {
    for (const pack of memory.packs)
      if (page >= pack.start && page < pack.start + pack.bytes / 4096) return pack;
    return null;
  },

  /** The program whose memory holds an address. */
  programAt(memory: Memory, at: Address): Program | null {
    // A chunk may begin some pages before; the nearest chunk at or below the address decides.
    let found = SparseMap.floor(memory.programsByChunk, at.page);
    let block = found !== null && found[0] === at.page ? chunkBlock(at) : LAST_BLOCK;
    while (found !== null) {
      const number = nearestChunk(found[1], block);
      if (number !== null) {
        const program = SparseMap.get(memory.programs, number) ?? null;
        const into = program === null ? -1 : Addresses.minus(at, program.chunk);
        return program !== null && into >= 0 && into < program.bytes ? program : null;
      }
      found = SparseMap.floor(memory.programsByChunk, found[0] - 1);
      block = LAST_BLOCK;
    }
    return null;
  },

  programByPointer(memory: Memory, pointer: Word): Program | null {
    const numbers = SparseMap.get(memory.programsByPointer, Word.toAddress(pointer).page) ?? [];
    for (let i = numbers.length - 1; i >= 0; i--) {
      const program = SparseMap.get(memory.programs, numbers[i] as number);
      if (program !== undefined && Word.equals(program.pointer, pointer)) return program;
    }
    return null;
  },

  program(memory: Memory, number: number): Program | null {
    return SparseMap.get(memory.programs, number) ?? null;
  },

  *programs(memory: Memory): Generator<Program> {
    for (const [, program] of SparseMap.entries(memory.programs)) yield program;
  },

  *areas(memory: Memory): Generator<Area> {
    for (const [, area] of SparseMap.entries(memory.areas)) yield area;
  },

  /** Areas that were freed and wait for a purge, in order: those that begin from page `start` to before `end`. */
  *lazyAreas(memory: Memory, start = 0, end = Infinity): Generator<Area> {
    for (const [first] of SparseMap.entries(memory.lazy, start)) {
      if (first >= end) return;
      yield SparseMap.get(memory.areas, first) as Area;
    }
  },

  /** Those that an `areas-purged` takes away; of 0 pages: all. */
  purgedBy(
    memory: Memory,
    { start, pages }: { readonly start: number; readonly pages: number },
  ): Generator<Area> {
    return pages === 0 ? Memory.lazyAreas(memory) : Memory.lazyAreas(memory, start, start + pages);
  },

  *symbols(memory: Memory): Generator<KernelSymbol> {
    for (const [, list] of SparseMap.entries(memory.symbols)) yield* list;
  },

  contentOf(memory: Memory, frame: number): PageContent | null {
    return frame === NO_FRAME ? null : (SparseMap.get(memory.content, frameKey(frame)) ?? null);
  },
});
