/**
 * Addresses of two traces compared: another boot has other addresses, so an address is told by what it lies in (an area, a program's code, the alias of
 * a mapped page) and how far from its beginning; what lies in nothing known is an identity, equal up to a renaming that stays the same.
 */
import { Memory } from '../../core/memory/memory.js';
import { Address } from '../../core/value/address.js';

/** A place in something with a beginning. */
interface Place {
  /** Which one: a number that is unique in its trace, also over time. */
  readonly of: number;
  /** Bytes from its beginning. */
  readonly offset: number;
}

/** What is known of an address when it was recorded. */
export interface PlacedAddress {
  readonly hi: number;
  readonly lo: number;
  /** In a vmalloc area. */
  readonly area: Place | null;
  /** In the code of a program: the code's place in its memory is a choice. */
  readonly code: Place | null;
  /** In the direct map: the mapped page that the same frame backs. */
  readonly alias: Place | null;
}

const MAX_DIRECT_PAGES = 2 ** 34;

const areaPlace = (memory: Memory, at: Address): Place | null => {
  const area = Memory.areaAt(memory, at.page);
  return area === null
    ? null
    : { of: area.since === 0 ? -area.start : area.since, offset: Address.minus(at, Address.of(area.start)) };
};

const codePlace = (memory: Memory, at: Address): Place | null => {
  const program = Memory.programAt(memory, at);
  if (program === null || program.start === null || program.length === null) return null;
  const offset = Address.minus(at, program.start);
  return offset < 0 || offset > program.length ? null : { of: program.number, offset };
};

const aliasPlace = (memory: Memory, at: Address): Place | null => {
  const pfn = at.page - memory.directBase;
  if (memory.directBase === 0 || pfn < 0 || pfn >= MAX_DIRECT_PAGES) return null;
  const backs = Memory.alias(memory, pfn)?.frame ?? -1;
  return backs < 0 ? null : areaPlace(memory, Address.of(backs, at.offset));
};

export const placedAddress = (memory: Memory, at: Address): PlacedAddress => {
  const area = areaPlace(memory, at);
  return {
    hi: Address.hi(at),
    lo: Address.lo(at),
    area,
    code: area === null ? null : codePlace(memory, at),
    alias: area === null ? aliasPlace(memory, at) : null,
  };
};

/** Whether 64 bits are an address of the kernel, and no error or mask: the top 16 bits are 0xffff or 0xc0.. and it is not among the last 4095. */
export const isPointer = (hi: number, lo: number): boolean => {
  const top = hi >>> 16;
  if (top !== 0xffff && top >>> 8 !== 0xc0) return false;
  return !(hi === 0xffffffff && lo > 0xfffff000);
};

/** A renaming: each name of the one side stands for one of the other, both ways. */
export interface Renaming {
  /** True when the two may stand for each other: they do already, or neither stands for anything yet. */
  readonly agree: (a: number, b: number) => boolean;
}

const MOST = 1 << 16;

const remember = (map: Map<number, number>, from: number, to: number): void => {
  map.set(from, to);
  if (map.size <= MOST) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
};

/** Forgets the oldest names beyond 65,536. */
export const renaming = (): Renaming => {
  const there = new Map<number, number>();
  const back = new Map<number, number>();
  return {
    agree: (a, b) => {
      const known = there.get(a);
      if (known !== undefined || back.has(b)) return known === b;
      remember(there, a, b);
      remember(back, b, a);
      return true;
    },
  };
};

/** Renamings of a comparison: of areas and programs for as long as it lasts, of other pointers within a pair of root calls. */
export interface Renamings {
  readonly areas: Renaming;
  readonly programs: Renaming;
  readonly pointers: Renaming;
}

const samePlace = (names: Renaming, a: Place | null, b: Place | null): boolean =>
  a !== null && b !== null && a.offset === b.offset && names.agree(a.of, b.of);

/** A pointer as one exact number: its top eleven bits are the same in every pointer. */
const word = ({ hi, lo }: PlacedAddress): number => (hi & 0x1fffff) * 2 ** 32 + lo;

/** Whether two addresses are the same but for renaming. */
export const samePlacedAddress = (a: PlacedAddress, b: PlacedAddress, names: Renamings): boolean => {
  if (!isPointer(a.hi, a.lo) || !isPointer(b.hi, b.lo)) return a.hi === b.hi && a.lo === b.lo;
  if (a.code !== null && b.code !== null && samePlace(names.programs, a.code, b.code)) return true;
  if (a.area !== null && b.area !== null) return samePlace(names.areas, a.area, b.area);
  if (a.alias !== null && b.alias !== null) return samePlace(names.areas, a.alias, b.alias);
  return names.pointers.agree(word(a), word(b));
};
