/** What an address is at a moment of a trace: virtual memory or the direct map, and who has or had it. */
import type { Oops, Translation } from '../../core/oops/oops.js';
import {
  Memory,
  NO_FRAME,
  type Area,
  type KernelSymbol,
  type Pack,
  type Program,
} from '../../core/memory/memory.js';
import type { PageEntry } from '../../core/memory/pageTable.js';
import { Address } from '../../core/value/address.js';
import { BLOCK, ContentClass, PageContent } from '../../core/memory/content.js';
import type { PackLife, ProgramLife } from '../subjects.js';

/** Where the direct map begins, and who says so. */
export interface DirectBase {
  readonly page: number;
  readonly from: 'trace' | 'oops';
}

/** What lies in the 64-byte block around an address. */
export interface PlaceContent {
  readonly kind: 'unknown' | 'trap' | 'zero' | 'program' | 'dead program' | 'leftover' | 'bytes' | 'code';
  /** Number of the program; 0: none, or not known. */
  readonly program: number;
}

/** What lies there, in words. */
export const CONTENT_WORDS: Readonly<Record<PlaceContent['kind'], string>> = {
  unknown: 'nothing that is known',
  trap: 'trap fill',
  zero: 'zeroes',
  program: 'the image of a program',
  'dead program': 'the code of a freed program',
  leftover: 'whatever was in this memory before',
  bytes: 'bytes that a dump showed',
  code: 'code of no program',
};

export interface Place {
  readonly address: Address;
  /** direct: the alias of a frame. user: an address of a process. virtual: anything else of the kernel. */
  readonly space: 'virtual' | 'direct' | 'user';
  readonly base: DirectBase | null;
  /** The entry of the page table that the trace gives: of the virtual page, or of the alias. */
  readonly entry: PageEntry | null;
  /** The frame behind; null where it is not known. */
  readonly pfn: number | null;
  readonly area: Area | null;
  readonly pack: Pack | null;
  readonly program: Program | null;
  readonly symbol: KernelSymbol | null;
  readonly content: PlaceContent | null;
  /** Programs and packs that had these addresses and are gone, the latest first. */
  readonly gone: readonly ProgramLife[];
  readonly gonePacks: readonly PackLife[];
}

export interface Lives {
  readonly programs: readonly ProgramLife[];
  readonly packs: readonly PackLife[];
}

const KERNEL_HALF = 0x8000000000000;
const GIB_PAGES = 2 ** 18;
/** x86 direct map: 64 TiB with four levels, 32 PiB with five. */
const X86_FOUR_LEVELS = 0xffff800000000;
const X86_PAGES = { four: 2 ** 34, five: 2 ** 43 };
/** x86: the kernel image and modules. */
const X86_IMAGE = 0xffffffff80000;

const directPages = ({ arch, granule }: Oops, base: number): number => {
  if (arch === 'arm64') return 2 ** (granule.addressBits - 1 - 12);
  return base >= X86_FOUR_LEVELS ? X86_PAGES.four : X86_PAGES.five;
};

/** Whether an address lies elsewhere than in the direct map, by itself; null: it does not tell. */
export const isOutsideDirectMap = ({ arch, granule }: Oops, at: Address): boolean | null => {
  if (at.page < KERNEL_HALF) return true;
  if (arch === 'arm64') return ((at.page / 2 ** (granule.addressBits - 13)) & 1) !== 0;
  return at.page >= X86_IMAGE ? true : null;
};

/** The direct map as the page-table line shows it: address minus physical address, where that can be nothing else. */
export const baseInOops = (oops: Oops, at: Address, translation: Translation | null): DirectBase | null => {
  const pfn = translation?.pfn ?? null;
  if (pfn === null) return null;
  const page = at.page - pfn;
  const low =
    oops.arch === 'arm64'
      ? ((at.page / 2 ** (oops.granule.addressBits - 13)) & 1) === 0
      : at.page < X86_IMAGE;
  return low && page % GIB_PAGES === 0 && page >= KERNEL_HALF ? { page, from: 'oops' } : null;
};

/** The symbol whose code holds an address. */
const symbolAt = (memory: Memory, at: Address): KernelSymbol | null => {
  for (const symbol of Memory.symbols(memory))
    if (Address.compare(symbol.start, at) <= 0 && Address.compare(at, symbol.end) < 0) return symbol;
  return null;
};

const contentAt = (memory: Memory, frame: number, at: Address): PlaceContent | null => {
  const content = Memory.contentOf(memory, frame);
  if (content === null) return null;
  const block = Math.floor(at.offset / BLOCK);
  const program = PageContent.refAt(content, block);
  switch (PageContent.classAt(content, block)) {
    case ContentClass.trap:
      return { kind: 'trap', program: 0 };
    case ContentClass.zero:
      return { kind: 'zero', program: 0 };
    case ContentClass.program:
      return { kind: Memory.program(memory, program) === null ? 'dead program' : 'program', program };
    case ContentClass.leftover:
      return { kind: 'leftover', program };
    case ContentClass.bytes:
      return { kind: 'bytes', program: 0 };
    case ContentClass.code:
      return { kind: 'code', program: 0 };
    default:
      return { kind: 'unknown', program: 0 };
  }
};

const holds = (start: Address, bytes: number, at: Address): boolean => {
  const offset = Address.minus(at, start);
  return offset >= 0 && offset < bytes;
};

export interface PlaceOptions {
  readonly oops: Oops;
  readonly translation: Translation | null;
  readonly memory: Memory;
  readonly lives: Lives;
}

interface Life {
  readonly from: number;
  readonly to: number | null;
}

/** Lives that ended by event `seq` and whose memory held an address, the latest first. */
const goneBy = <T extends Life>(lives: readonly T[], seq: number, held: (life: T) => boolean): readonly T[] =>
  lives
    .filter((life) => life.to !== null && life.to <= seq && held(life))
    .toSorted((a, b) => (b.to ?? 0) - (a.to ?? 0));

/** What `at` is. */
export const placeOf = (at: Address, { oops, translation, memory, lives }: PlaceOptions): Place => {
  const trace: DirectBase | null =
    memory.directBase === 0 ? null : { page: memory.directBase, from: 'trace' };
  const base = trace ?? baseInOops(oops, at, translation);
  const isUser = at.page < KERNEL_HALF;
  const isDirect =
    !isUser && base !== null && at.page >= base.page && at.page < base.page + directPages(oops, base.page);
  const pfn = isDirect && base !== null ? at.page - base.page : null;
  const alias = pfn === null ? null : Memory.alias(memory, pfn);
  const own = isDirect ? alias : Memory.page(memory, at.page);
  // Packs and programs live in virtual memory: of an alias, those of the page that it backs.
  const backed = alias === null || alias.frame < 0 ? null : Address.of(alias.frame, at.offset);
  const mapped = isDirect ? backed : at;
  const frame = isDirect ? (pfn as number) : (own?.frame ?? NO_FRAME);
  return {
    address: at,
    space: isUser ? 'user' : isDirect ? 'direct' : 'virtual',
    base: isDirect ? base : null,
    entry: own,
    pfn: frame >= 0 ? frame : null,
    area: mapped === null ? null : Memory.areaAt(memory, mapped.page),
    pack: mapped === null ? null : Memory.packAt(memory, mapped.page),
    program: mapped === null ? null : Memory.programAt(memory, mapped),
    symbol: mapped === null ? null : symbolAt(memory, mapped),
    content: contentAt(memory, frame, at),
    gone:
      mapped === null
        ? []
        : goneBy(lives.programs, memory.seq, (life) => holds(life.chunk, life.bytes, mapped)),
    gonePacks:
      mapped === null
        ? []
        : goneBy(lives.packs, memory.seq, (life) => holds(Address.of(life.start), life.bytes, mapped)),
  };
};
