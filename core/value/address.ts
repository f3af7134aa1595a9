import type { Brand } from './brand.js';

/**
 * Number of a 4 KiB page (virtual or physical): address >> 12, at most 2^52 - 1, so exact in a JavaScript number.
 * The unit is 4 KiB on every architecture; a 64K page is sixteen of them.
 */
export type PageNumber = Brand<number, 'PageNumber'>;

export const PAGE_SIZE = 4096;
const HI_PAGES = 0x100000; // pages in 4 GiB

/** A 64-bit byte address, exact: page number and offset below 4096. */
export interface Address {
  readonly page: PageNumber;
  readonly offset: number;
}

export const pageNumber = (n: number): PageNumber => n as PageNumber;

export const Address = Object.freeze({
  zero: { page: 0 as PageNumber, offset: 0 } as Address,

  of(page: number, offset = 0): Address {
    return { page: page as PageNumber, offset };
  },

  /** From the two 32-bit halves of the 64-bit value. */
  fromWords(hi: number, lo: number): Address {
    return { page: ((hi >>> 0) * HI_PAGES + (lo >>> 12)) as PageNumber, offset: lo & 0xfff };
  },

  hi(a: Address): number {
    return Math.floor(a.page / HI_PAGES) >>> 0;
  },

  lo(a: Address): number {
    return ((a.page % HI_PAGES) * PAGE_SIZE + a.offset) >>> 0;
  },

  fromBigInt(value: bigint): Address {
    const v = BigInt.asUintN(64, value);
    return { page: Number(v >> 12n) as PageNumber, offset: Number(v & 0xfffn) };
  },

  toBigInt(a: Address): bigint {
    return (BigInt(a.page) << 12n) | BigInt(a.offset);
  },

  /** `0x` and 16 lower-case digits: the form of every output. */
  toText(a: Address): string {
    return '0x' + a.page.toString(16).padStart(13, '0') + a.offset.toString(16).padStart(3, '0');
  },

  /** Hex text with or without `0x`, 1 to 16 digits; null when it is not that. */
  parse(text: string): Address | null {
    const m = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text);
    if (!m) return null;
    const digits = (m[1] as string).padStart(16, '0');
    return {
      page: parseInt(digits.slice(0, 13), 16) as PageNumber,
      offset: parseInt(digits.slice(13), 16),
    };
  },

  /** The address `bytes` further (negative: before). |bytes| < 2^52. */
  add(a: Address, bytes: number): Address {
    const sum = a.offset + bytes;
    const pages = Math.floor(sum / PAGE_SIZE);
    return { page: (a.page + pages) as PageNumber, offset: sum - pages * PAGE_SIZE };
  },

  /** The last multiple of `bytes`, a power of two, at or below an address. */
  alignDown(a: Address, bytes: number): Address {
    return bytes <= PAGE_SIZE
      ? { page: a.page, offset: a.offset - (a.offset % bytes) }
      : { page: (a.page - (a.page % (bytes / PAGE_SIZE))) as PageNumber, offset: 0 };
  },

  /** Bytes from b to a; exact while below 2^53. */
  minus(a: Address, b: Address): number {
    return (a.page - b.page) * PAGE_SIZE + (a.offset - b.offset);
  },

  compare(a: Address, b: Address): number {
    return a.page - b.page || a.offset - b.offset;
  },

  equals(a: Address, b: Address): boolean {
    return a.page === b.page && a.offset === b.offset;
  },

  isZero(a: Address): boolean {
    return a.page === 0 && a.offset === 0;
  },
});

/** `0x` and 16 digits of the first byte of a page; 2^52 (the page after the last) prints as the wrapped 0. */
export const pageText = (page: number): string =>
  '0x' + (page >= 0x10000000000000 ? 0 : page).toString(16).padStart(13, '0') + '000';
