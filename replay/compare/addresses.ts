/**
 * Addresses of two traces compared: another boot has other addresses, so an address is told by what it lies in (an area, a program's code, the alias of
 * a mapped page) and how far from its beginning; what lies in nothing known is an identity, equal up to a renaming that stays the same.
 */
import { Placed } from './shape.js';

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

/** A renaming that is begun anew again and again, for few names each time. */
export interface ShortRenaming extends Renaming {
  readonly clear: () => void;
}

/** Up to here all names are looked through. */
const FEW = 32;

export const shortRenaming = (): ShortRenaming => {
  const from: number[] = [];
  const to: number[] = [];
  let many: Renaming | null = null;
  return {
    agree: (a, b) => {
      if (many !== null) return many.agree(a, b);
      const i = from.indexOf(a);
      if (i >= 0 || to.includes(b)) return i >= 0 && to[i] === b;
      from.push(a);
      to.push(b);
      if (from.length > FEW) {
        many = renaming();
        for (const [k, name] of from.entries()) many.agree(name, to[k] as number);
      }
      return true;
    },
    clear: () => {
      from.length = 0;
      to.length = 0;
      many = null;
    },
  };
};

/** Renamings of a comparison: of areas and programs for as long as it lasts, of other pointers within a pair of root calls. */
export interface Renamings {
  readonly areas: Renaming;
  readonly programs: Renaming;
  readonly pointers: Renaming;
}

/** Slots of a root call. */
export type Slots = Float64Array;

/** Which one it lies in, and how far from its beginning. */
const samePlace = (names: Renaming, a: Slots, i: number, b: Slots, j: number): boolean =>
  a[i + 1] === b[j + 1] && names.agree(a[i] as number, b[j] as number);

/** A pointer as one exact number: its top eleven bits are the same in every pointer. */
const word = (hi: number, lo: number): number => (hi & 0x1fffff) * 2 ** 32 + lo;

const inArea = (form: number): boolean => form === Placed.area || form === Placed.code;

/** Whether two addresses are the same but for renaming: that of form `m` in the slots of a from `i` on, and that of form `n` in those of b from `j` on. */
export const samePlacedAddress = (
  a: Slots,
  i: number,
  m: number,
  b: Slots,
  j: number,
  n: number,
  names: Renamings,
): boolean => {
  const [hiA, loA, hiB, loB] = [a[i] as number, a[i + 1] as number, b[j] as number, b[j + 1] as number];
  if (!isPointer(hiA, loA) || !isPointer(hiB, loB)) return hiA === hiB && loA === loB;
  if (m === Placed.code && n === Placed.code && samePlace(names.programs, a, i + 4, b, j + 4)) return true;
  if (inArea(m) && inArea(n)) return samePlace(names.areas, a, i + 2, b, j + 2);
  if (m === Placed.alias && n === Placed.alias) return samePlace(names.areas, a, i + 2, b, j + 2);
  return names.pointers.agree(word(hiA, loA), word(hiB, loB));
};
