import { Address } from './address.js';

/** A 64-bit word as two unsigned 32-bit halves: exact where a number is not, and cheaper than a bigint. */
export interface Word {
  readonly hi: number;
  readonly lo: number;
}

export const Word = Object.freeze({
  zero: { hi: 0, lo: 0 } as Word,

  /** A non-negative integer below 2^53, or a negative one above -2^53 (two's complement). */
  fromNumber(n: number): Word {
    if (n < 0) {
      const lo = ((n % 0x100000000) + 0x100000000) % 0x100000000;
      return { hi: Math.floor(n / 0x100000000) >>> 0, lo: lo >>> 0 };
    }
    return { hi: Math.floor(n / 0x100000000) >>> 0, lo: n >>> 0 };
  },

  fromAddress(a: Address): Word {
    return { hi: Address.hi(a), lo: Address.lo(a) };
  },

  toAddress(w: Word): Address {
    return Address.fromWords(w.hi, w.lo);
  },

  fromBigInt(v: bigint): Word {
    const u = BigInt.asUintN(64, v);
    return { hi: Number(u >> 32n), lo: Number(u & 0xffffffffn) };
  },

  toBigInt(w: Word): bigint {
    return (BigInt(w.hi >>> 0) << 32n) | BigInt(w.lo >>> 0);
  },

  /** Unsigned value as a number; exact below 2^53 only. */
  toNumber(w: Word): number {
    return (w.hi >>> 0) * 0x100000000 + (w.lo >>> 0);
  },

  /** Low half as a signed 32-bit integer: what an `int` in a register means. */
  toInt(w: Word): number {
    return w.lo | 0;
  },

  equals(a: Word, b: Word): boolean {
    return a.hi === b.hi && a.lo === b.lo;
  },

  isZero(w: Word): boolean {
    return w.hi === 0 && w.lo === 0;
  },

  /** `0x…` without leading zeroes, as ftrace prints x64. */
  toHex(w: Word): string {
    return w.hi === 0
      ? '0x' + w.lo.toString(16)
      : '0x' + w.hi.toString(16) + w.lo.toString(16).padStart(8, '0');
  },
});
