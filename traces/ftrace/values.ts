import {
  CLOSE_BRACE,
  EQUALS,
  HEX,
  IDENTIFIER,
  LOWER_X,
  MINUS,
  OPEN_BRACE,
  QUOTE,
  SPACE,
  ZERO,
} from './bytes.js';
import { decimal, find, skipDigits, skipSpaces } from './bytes.js';
import type { ValueForm } from './line.js';

/**
 * Values as trace probes print them (kernel/trace/trace_probe.c): `0x…` (x8 to x64), decimal (u, s), `"…"` with nothing escaped
 * inside, `{…,…}`, `'c'`, symbols with or without ` [module]`, `(fault)`.
 */
const EXACT = 15; // digits that a number holds exactly
const BILLIONS = 0x100000000;

/** Whether a value may end here: at the end of the line, or before ` name=`. */
export function atBoundary(bytes: Uint8Array, p: number, e: number): boolean {
  if (p === e) return true;
  if (bytes[p] !== SPACE) return false;
  const name = skipSpaces(bytes, p, e);
  const end = nameEnd(bytes, name, e);
  return end > name && end < e && bytes[end] === EQUALS;
}

/** End of the identifier at `p`, `p` when there is none. */
export function nameEnd(bytes: Uint8Array, p: number, e: number): number {
  if (p >= e || IDENTIFIER[bytes[p] as number] !== 1) return p;
  while (p < e && IDENTIFIER[bytes[p] as number] !== 0) p++;
  return p;
}

/** Index of the quote that closes the one at `p`, -1 without one: the first at a boundary, since no producer escapes what is inside. */
export function closingQuote(bytes: Uint8Array, p: number, e: number): number {
  for (let q = find(bytes, QUOTE, p + 1, e); q < e; q = find(bytes, QUOTE, q + 1, e)) {
    if (atBoundary(bytes, q + 1, e)) return q;
  }
  return -1;
}

/** End of a text without quotes: the first boundary, for `{…}` one after its `}` if there is one. */
export function bareEnd(bytes: Uint8Array, p: number, e: number): number {
  const braced = bytes[p] === OPEN_BRACE;
  let first = -1;
  for (let q = find(bytes, SPACE, p, e); q < e;) {
    const next = skipSpaces(bytes, q, e);
    if (atBoundary(bytes, next - 1, e)) {
      if (!braced || bytes[q - 1] === CLOSE_BRACE) return q;
      if (first < 0) first = q;
    }
    q = find(bytes, SPACE, next, e);
  }
  return braced && first >= 0 && bytes[e - 1] !== CLOSE_BRACE ? first : e;
}

/** A value, read in place. */
export class Value {
  form: ValueForm = 'bare';
  hi = 0;
  lo = 0;
  /** Of a text: its bytes without quotes. */
  start = 0;
  stop = 0;

  /** Reads the value at `p`; its end. */
  read(bytes: Uint8Array, p: number, e: number): number {
    if (bytes[p] === QUOTE && p < e) {
      const quote = closingQuote(bytes, p, e);
      if (quote >= 0) return this.#text('quoted', p + 1, quote, quote + 1);
    }
    const end = this.readHex(bytes, p, e);
    if (end >= 0 && atBoundary(bytes, end, e)) return end;
    const last = this.#readAnyDecimal(bytes, p, e);
    if (last >= 0 && atBoundary(bytes, last, e)) return last;
    const stop = bareEnd(bytes, p, e);
    return this.#text('bare', p, stop, stop);
  }

  /** `0x` and 1 to 16 hexadecimal digits; the end, or -1. */
  readHex(bytes: Uint8Array, p: number, e: number): number {
    if (bytes[p] !== ZERO || bytes[p + 1] !== LOWER_X) return -1;
    const start = p + 2;
    const limit = Math.min(e, start + 17);
    let upper = 0;
    let lower = 0;
    let q = start;
    for (const first = Math.min(limit, start + 8); q < first; q++) {
      const digit = HEX[bytes[q] as number] as number;
      if (digit > 15) break;
      upper = (upper << 4) | digit;
    }
    const upperDigits = q - start;
    if (upperDigits === 8) {
      for (; q < limit; q++) {
        const digit = HEX[bytes[q] as number] as number;
        if (digit > 15) break;
        lower = (lower << 4) | digit;
      }
    }
    const digits = q - start;
    if (digits === 0 || digits > 16) return -1;
    this.form = 'hex';
    if (digits <= 8) {
      this.hi = 0;
      this.lo = upper >>> 0;
    } else if (digits === 16) {
      this.hi = upper >>> 0;
      this.lo = lower >>> 0;
    } else {
      this.hi = upper >>> (64 - 4 * digits);
      this.lo = ((upper << (4 * digits - 32)) | lower) >>> 0;
    }
    return q;
  }

  /** An optional `-` and 1 to 15 digits; the end, or -1. */
  readDecimal(bytes: Uint8Array, p: number, e: number): number {
    const negative = bytes[p] === MINUS;
    const start = negative ? p + 1 : p;
    const end = skipDigits(bytes, start, Math.min(e, start + EXACT + 1));
    if (end === start || end - start > EXACT) return -1;
    const n = decimal(bytes, start, end);
    this.form = 'decimal';
    if (!negative) {
      this.hi = n < BILLIONS ? 0 : (n / BILLIONS) >>> 0;
      this.lo = n >>> 0;
    } else {
      this.hi = Math.floor(-n / BILLIONS) >>> 0;
      this.lo = -n >>> 0;
    }
    return end;
  }

  /** As readDecimal, up to the 20 digits of 64 bits (-2^63 to 2^64 - 1). */
  #readAnyDecimal(bytes: Uint8Array, p: number, e: number): number {
    const short = this.readDecimal(bytes, p, e);
    if (short >= 0) return short;
    const start = bytes[p] === MINUS ? p + 1 : p;
    const end = skipDigits(bytes, start, Math.min(e, start + 21));
    if (end - start <= EXACT || end - start > 20) return -1;
    let n = 0n;
    for (let q = start; q < end; q++) n = n * 10n + BigInt((bytes[q] as number) - ZERO);
    if (start > p) n = -n;
    if (n >= 2n ** 64n || n < -(2n ** 63n)) return -1;
    const word = BigInt.asUintN(64, n);
    this.form = 'decimal';
    this.hi = Number(word >> 32n);
    this.lo = Number(word & 0xffffffffn);
    return end;
  }

  #text(form: ValueForm, start: number, stop: number, end: number): number {
    this.form = form;
    this.hi = this.lo = 0;
    this.start = start;
    this.stop = stop;
    return end;
  }
}
